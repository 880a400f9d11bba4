-- 204_lock_cancel_waiter: a cancelled waiter leaves the queue; the next one gets the lock
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, lock)
  local ok = aio.catch(aio.CancelledError, lock.with, lock, say, "got", n)
  if not ok then
    say("cancelled", n)
  end
end

aio.run(function()
  local lock = aio.Lock()
  lock:acquire()
  local a = aio.create_task(waiter, "a", lock)
  local b = aio.create_task(waiter, "b", lock)
  aio.sleep(0)
  a:cancel()
  aio.sleep(0)
  lock:release()
  aio.gather(a, b)
  say("locked", lock:locked())
end)
