-- x_timeout_error_inside: an error of the body passes through a scope that has not expired
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

aio.run(function()
  local tm = aio.timeout(5)
  local _, err = aio.catch(ValueError, tm.run, tm, function()
    aio.sleep(0)
    error(ValueError("boom"))
  end)
  say("error:", err.message, "expired", tm:expired())
end)
