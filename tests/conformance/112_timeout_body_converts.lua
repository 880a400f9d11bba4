-- 112_timeout_body_converts: an error raised while unwinding from the timeout wins
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

aio.run(function()
  local tm = aio.timeout(0.01)
  local _, err = aio.catch(ValueError, tm.run, tm, function()
    if not aio.catch(aio.CancelledError, aio.sleep, 10) then
      error(ValueError("boom"))
    end
  end)
  say("error:", err.message, "expired", tm:expired())
  say("requests", aio.current_task():cancelling())
end)
