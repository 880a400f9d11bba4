-- x_group_body_error: an error of the body cancels the children and comes in a group
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

local function child()
  local _ <close> = aio.defer(function()
    aio.sleep(0.01)
    say("child unwound")
  end)
  aio.sleep(10)
end

aio.run(function()
  local _, group = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(child)
    aio.sleep(0)
    error(ValueError("body"))
  end)
  say("group errors:", messages(group))
end)
