-- x_eager_group_error: an eager child that fails at once interrupts the body at its next wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function messages(group)
  local list = {}
  for i, err in ipairs(group.errors) do
    list[i] = err.message
  end
  return list
end

local function bad()
  error(ValueError("boom"))
end

aio.run(function()
  aio.get_running_loop():set_task_factory(aio.eager_task_factory)
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    local t = tg:create_task(bad)
    say("child done", t:done())
    aio.sleep(10)
    say("not printed")
  end)
  say("group errors:", messages(group))
end)
