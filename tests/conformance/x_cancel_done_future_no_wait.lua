-- x_cancel_done_future_no_wait: a pending cancel waits for a real wait: a done future does not
-- suspend
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(f)
  aio.current_task():cancel()
  say("value", f:await())
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 0)
  if not ok then
    say("cancelled at the sleep")
    error(err)
  end
end

aio.run(function()
  local f = aio.get_running_loop():create_future()
  f:set_result(1)
  local t = aio.create_task(child, f)
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
