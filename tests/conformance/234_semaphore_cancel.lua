-- 234_semaphore_cancel: cancelled waiters do not lose slots
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local sem = aio.Semaphore(1)
  sem:acquire()
  local function waiter(n)
    if aio.catch(aio.CancelledError, sem.acquire, sem) then
      say("got", n)
    else
      say("cancelled", n)
    end
  end
  local a = aio.create_task(waiter, "a")
  local b = aio.create_task(waiter, "b")
  aio.sleep(0)
  sem:release()
  a:cancel()
  aio.gather(a, b)
  say("locked", sem:locked())
end)
