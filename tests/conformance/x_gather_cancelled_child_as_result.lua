-- x_gather_cancelled_child_as_result: a cancelled child stands in its place among the returned
-- errors
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(n)
  aio.sleep(0.01)
  return n
end)

aio.run(function()
  local tasks = { ok(1), ok(2), ok(3) }
  aio.sleep(0)
  tasks[2]:cancel()
  local results, errors = aio.gather(tasks, { return_exceptions = true })
  results[2] = aio.is(errors[2], aio.CancelledError) and "cancelled" or results[2]
  say(results)
  say("own requests", aio.current_task():cancelling())
end)
