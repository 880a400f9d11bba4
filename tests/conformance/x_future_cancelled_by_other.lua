-- x_future_cancelled_by_other: a future cancelled by another ends its waiter, which asked for
-- nothing
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(f)
  local ok, err = aio.catch(aio.CancelledError, f.await, f)
  if not ok then
    say("saw cancelled; own requests", aio.current_task():cancelling())
    error(err)
  end
end

aio.run(function()
  local f = aio.get_running_loop():create_future()
  local t = aio.create_task(waiter, f)
  aio.sleep(0)
  f:cancel("gone")
  aio.wait { t }
  say("task cancelled", t:cancelled())
end)
