-- 122_wait_for_swallow_returns_value: when the inner work swallows the cancel its value is returned
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function stubborn()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    return "late value"
  end
end

aio.run(function()
  say(aio.wait_for(stubborn, 0.01))
end)
