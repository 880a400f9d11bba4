-- x_cancel_shared_inner: cancelling one waiter of a task cancels that task for the others too
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, t)
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("waiter", n, "own requests", aio.current_task():cancelling())
  end
end

aio.run(function()
  local t = aio.create_task(aio.sleep, 10)
  local first = aio.create_task(waiter, 1, t)
  local second = aio.create_task(waiter, 2, t)
  aio.sleep(0.01)
  first:cancel()
  aio.gather(first, second)
  say("work cancelled", t:cancelled())
end)
