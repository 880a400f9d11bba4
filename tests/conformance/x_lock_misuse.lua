-- x_lock_misuse: releasing a free lock is an error, and the lock still works
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lock = aio.Lock()
  if not aio.catch(aio.RuntimeError, lock.release, lock) then
    say("error: not locked")
  end
  say("acquired", lock:acquire() ~= nil, lock:locked())
  lock:release()
  if not aio.catch(aio.RuntimeError, lock.release, lock) then
    say("error: released twice")
  end
  do
    local _ <close> = lock:acquire()
    say("works", lock:locked())
  end
  say("locked", lock:locked())
end)
