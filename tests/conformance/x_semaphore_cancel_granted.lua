-- x_semaphore_cancel_granted: two slots, the first chosen waiter is cancelled, the others get in
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local sem = aio.Semaphore(2)
  sem:acquire()
  sem:acquire()
  local function inside(n)
    say("in", n)
    aio.sleep(0.005)
  end
  local waiter = aio.async(function(n)
    if not aio.catch(aio.CancelledError, sem.with, sem, inside, n) then
      say("cancelled", n)
    end
  end)
  local ts = { waiter("a"), waiter("b"), waiter("c"), waiter("d") }
  aio.sleep(0)
  sem:release()
  sem:release()
  ts[1]:cancel()
  aio.gather(ts)
  say("locked", sem:locked())
end)
