-- 074_group_body_and_child_error: body error and child error are reported together
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function child()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    error(ValueError("child cleanup"))
  end
end

aio.run(function()
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    tg:create_task(child)
    aio.sleep(0)
    error(ValueError("body"))
  end)
  local messages = {}
  for i, err in ipairs(group.errors) do
    messages[i] = err.message
  end
  table.sort(messages)
  say("group errors:", messages)
end)
