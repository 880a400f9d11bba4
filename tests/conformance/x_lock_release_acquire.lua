-- x_lock_release_acquire: the holder that releases and acquires at once queues behind the waiters
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(lock, n)
  for i = 0, 1 do
    lock:acquire()
    say("has", n, i)
    lock:release()
  end
end

aio.run(function()
  local lock = aio.Lock()
  lock:acquire()
  local ts = { aio.create_task(w, lock, "a"), aio.create_task(w, lock, "b") }
  aio.sleep(0)
  lock:release()
  lock:acquire()
  say("main has it")
  lock:release()
  aio.gather(table.unpack(ts))
  say(lock:locked())
  if not aio.catch(aio.RuntimeError, lock.release, lock) then say("not locked") end
end)
