-- x_as_completed_cancelled_item: a cancelled item raises cancelled, its consumer is not cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(name, delay)
  aio.sleep(delay)
  return name
end)

aio.run(function()
  local a, b = ok("a", 5), ok("b", 0.02)
  aio.sleep(0)
  a:cancel()
  for t in aio.as_completed { a, b } do
    local fine, result = aio.catch(aio.CancelledError, t.await, t)
    if fine then
      say(result)
    else
      say("cancelled; own requests", aio.current_task():cancelling())
    end
  end
end)
