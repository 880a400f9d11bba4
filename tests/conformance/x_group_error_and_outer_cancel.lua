-- x_group_error_and_outer_cancel: with an error and an outside cancel the group raises its errors
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
    error(ValueError("child"))
  end)
  aio.sleep(10)
end

local function outer()
  local _, group = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(child)
  end)
  say("group errors:", messages(group))
  say("requests", aio.current_task():cancelling())
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("ended", t:done())
end)
