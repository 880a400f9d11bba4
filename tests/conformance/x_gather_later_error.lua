-- x_gather_later_error: a gather left by its first error leaves later errors to the tasks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local bad = aio.async(function(message, delay)
  aio.sleep(delay)
  error(ValueError(message))
end)

aio.run(function()
  local first, second = bad("first", 0.01), bad("second", 0.08)
  local g = aio.gather_future(first, second)
  local _, err = aio.catch(ValueError, g.await, g)
  say("error:", err.message)
  say("gather done", g:done(), "exception", g:exception().message, "second done", second:done())
  aio.wait { first, second }
  say("second failed", second:exception().message)
end)
