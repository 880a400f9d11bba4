-- x_cancel_result_on_its_way: a cancel that arrives when the result is on its way wins
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(f)
  local ok, result = aio.catch(aio.CancelledError, f.await, f)
  if not ok then
    say("cancelled, future has", f:result())
    error(result)
  end
  say("value", result)
end

aio.run(function()
  local f = aio.get_running_loop():create_future()
  local t = aio.create_task(waiter, f)
  aio.sleep(0)
  f:set_result("value")
  say("cancel", t:cancel())
  aio.wait { t }
  say("task", t:cancelled(), "future", f:cancelled())
end)
