-- 142_as_completed_timeout: items not ready in time raise timeout, tasks are not cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(name, delay)
  aio.sleep(delay)
  return name
end)

aio.run(function()
  local a, b = ok("a", 0.01), ok("b", 0.08)
  local in_time = aio.catch(aio.TimeoutError, function()
    for t in aio.as_completed({ a, b }, { timeout = 0.04 }) do
      say(t:await())
    end
  end)
  if not in_time then
    say("timeout")
  end
  say("b cancelled", b:cancelled(), b:await())
end)
