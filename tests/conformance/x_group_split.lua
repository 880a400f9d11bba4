-- x_group_split: splitting a collected error by class, subclasses included
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

local NetError = aio.Error:extend("NetError")
local ResetError = NetError:extend("ResetError")

aio.run(function()
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    for _, err in ipairs { NetError("net"), ValueError("value"), ResetError("reset") } do
      tg:create_task(error, err)
    end
  end)
  local match, rest = group:split(NetError)
  say(messages(match), messages(rest))
  say(group:subgroup(aio.LookupError) == nil, #group:subgroup(ResetError).errors)
end)
