-- 090_group_filter_errors: picking one kind of error out of a collected error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")
local KeyError = aio.Error:extend("KeyError")

local function bad(err)
  aio.sleep(0)
  error(err)
end

local function messages(group)
  local list = {}
  for i, err in ipairs(group.errors) do
    list[i] = err.message
  end
  return list
end

aio.run(function()
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    tg:create_task(bad, ValueError("value"))
    tg:create_task(bad, KeyError("key"))
  end)
  local handled, rest = group:split(ValueError)
  say("handled", messages(handled))
  say("rest", messages(rest))
end)
