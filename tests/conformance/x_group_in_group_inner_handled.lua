-- x_group_in_group_inner_handled: an error of an inner group that is caught leaves the outer group
-- alive
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

local function ok()
  aio.sleep(0.02)
  say("ok finished")
end

aio.run(function()
  do
    local outer <close> = aio.TaskGroup()
    outer:create_task(ok)
    local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(inner)
      inner:create_task(bad)
    end)
    say("handled", messages(group))
    say("outer body ends")
  end
  say("outer ends")
end)
