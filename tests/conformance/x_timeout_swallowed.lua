-- x_timeout_swallowed: a body that swallows the cancel ends without an error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tm = aio.timeout(0.01)
  -- The swallowed cancel is worth a report: here it is meant.
  aio.get_running_loop():set_exception_handler(function() end)
  tm:run(function()
    if not aio.catch(aio.CancelledError, aio.sleep, 10) then
      say("swallowed")
    end
    aio.sleep(0.01)
    say("body ends")
  end)
  say("expired", tm:expired(), "requests", aio.current_task():cancelling())
end)
