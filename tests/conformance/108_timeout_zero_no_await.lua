-- 108_timeout_zero_no_await: an expired deadline with no await in the body does not fire
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tm = aio.timeout(0)
  tm:run(say, "no await here")
  say("expired", tm:expired())
end)
