-- x_lock_timeout: giving up on a lock leaves it usable
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lock = aio.Lock()
  lock:acquire()
  if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, lock.acquire, lock) then
    say("timeout, locked", lock:locked())
  end
  lock:release()
  say("locked", lock:locked())
  aio.timeout(0.01, lock.acquire, lock)
  say("locked", lock:locked())
end)
