-- x_semaphore_fifo: a semaphore of zero lets waiters in one by one, in order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local sem = aio.Semaphore(0)
  local ts = {}
  for n = 0, 3 do
    ts[#ts + 1] = aio.create_task(function()
      sem:acquire()
      say("in", n)
    end)
  end
  aio.sleep(0)
  say("locked", sem:locked())
  sem:release()
  aio.sleep(0.005)
  say("released two")
  sem:release()
  sem:release()
  aio.sleep(0.005)
  sem:release()
  aio.gather(ts)
  say("locked", sem:locked())
end)
