-- x_group_then_wait: after a failed group the task waits as usual
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  error(ValueError("boom"))
end

local function failing(tg)
  tg:create_task(bad)
  aio.sleep(10)
end

aio.run(function()
  for n = 1, 2 do
    if not aio.catch(aio.ExceptionGroup, aio.TaskGroup, failing) then
      say("failed", n, "requests", aio.current_task():cancelling())
    end
    aio.sleep(0.01)
  end
  say("end")
end)
