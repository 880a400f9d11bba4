-- 224_condition_shared_lock: two conditions over one lock; waiting releases it
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lock = aio.Lock()
  local full = aio.Condition(lock)
  local empty = aio.Condition(lock)
  local t = aio.create_task(function()
    local _ <close> = full:acquire()
    say("waiting, locked", lock:locked())
    full:wait()
    say("woke, locked", lock:locked())
  end)
  aio.sleep(0.01)
  say("locked while waiting", lock:locked())
  do
    local _ <close> = empty:acquire()
    full:notify()
    say("notified")
  end
  t:await()
end)
