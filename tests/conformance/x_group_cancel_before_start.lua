-- x_group_cancel_before_start: tasks of a group whose body fails at once never run
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

aio.run(function()
  local t
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    t = tg:create_task(say, "not printed")
    error(ValueError("body"))
  end)
  say("group errors:", messages(group), "cancelled", t:cancelled())
end)
