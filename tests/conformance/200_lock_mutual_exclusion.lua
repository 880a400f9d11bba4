-- 200_lock_mutual_exclusion: only one task holds the lock
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local worker = aio.async(function(n, lock)
  local _ <close> = lock:acquire()
  say("in", n)
  aio.sleep(0.005)
  say("out", n)
end)

aio.run(function()
  local lock = aio.Lock()
  say("locked", lock:locked())
  aio.gather(worker(0, lock), worker(1, lock), worker(2, lock))
  say("locked", lock:locked())
end)
