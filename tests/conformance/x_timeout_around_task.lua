-- x_timeout_around_task: an expired scope cancels the task that is awaited in it, not one behind a
-- shield
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local work = aio.async(function(name)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 0.05)
  if not ok then
    say("work", name, "cancelled")
    error(err)
  end
  return name
end)

aio.run(function()
  local a, b = work("a"), work("b")
  for _, awaitable in ipairs { a, aio.shield(b) } do
    if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, aio.await, awaitable) then
      say("timeout")
    end
  end
  say(a:cancelled(), b:cancelled(), b:await())
end)
