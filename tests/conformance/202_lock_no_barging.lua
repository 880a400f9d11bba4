-- 202_lock_no_barging: release then acquire does not overtake a waiting task
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(lock)
  local _ <close> = lock:acquire()
  say("waiter got it")
end

aio.run(function()
  local lock = aio.Lock()
  lock:acquire()
  local t = aio.create_task(waiter, lock)
  aio.sleep(0)
  lock:release()
  lock:acquire()
  say("main got it again")
  lock:release()
  t:await()
end)
