-- x_lock_cancel_turns: the woken waiter of a lock is cancelled: the next one gets it in which turn
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(lock, n)
  local ok, e = aio.catch(aio.CancelledError, function()
    local _ <close> = lock:acquire()
    say("in", n)
    aio.sleep(0)
    say("out", n)
  end)
  if not ok then
    say("cancelled", n)
    error(e)
  end
end

aio.run(function()
  local lock = aio.Lock()
  lock:acquire()
  local ts = {}
  for i = 0, 2 do ts[i + 1] = aio.create_task(w, lock, i) end
  aio.sleep(0)
  lock:release()
  say("locked", lock:locked())
  ts[1]:cancel()
  for i = 0, 6 do
    say("turn", i, lock:locked())
    aio.sleep(0)
  end
  say({ ts[1]:cancelled(), ts[2]:cancelled(), ts[3]:cancelled() })
end)
