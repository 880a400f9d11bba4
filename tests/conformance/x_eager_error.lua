-- x_eager_error: an eager task that fails at once holds its error for the one who asks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  say("bad runs")
  error(ValueError("boom"))
end

local function cancels_itself()
  aio.current_task():cancel()
  aio.sleep(0)
  say("not printed")
end

aio.run(function()
  local eager = { eager_start = true }
  local t = aio.create_task_with(eager, bad)
  say("done", t:done(), "error:", t:exception().message)
  local u = aio.create_task_with(eager, cancels_itself)
  say("done", u:done())
  aio.wait { u }
  say("cancelled", u:cancelled())
end)
