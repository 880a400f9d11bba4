-- x_timeout_group_error_first: an error in a group inside a scope is not a timeout
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
  aio.sleep(0.01)
  error(ValueError("boom"))
end

aio.run(function()
  local tm = aio.timeout(5)
  local _, group = aio.catch(aio.ExceptionGroup, tm.run, tm, aio.TaskGroup, function(tg)
    tg:create_task(bad)
    tg:create_task(aio.sleep, 10)
  end)
  say("group errors:", messages(group), "expired", tm:expired())
end)
