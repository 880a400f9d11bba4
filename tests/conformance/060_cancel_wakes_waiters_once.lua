-- 060_cancel_wakes_waiters_once: all waiters of a cancelled task see the cancellation
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, t)
  if not aio.catch(aio.CancelledError, aio.await, aio.shield(t)) then
    say("waiter", n, "saw cancel")
  end
end

aio.run(function()
  local t = aio.create_task(aio.sleep, 10)
  local waiters = {}
  for i = 0, 2 do
    waiters[#waiters + 1] = aio.create_task(waiter, i, t)
  end
  aio.sleep(0.01)
  t:cancel()
  aio.gather(waiters)
end)
