-- 086_group_body_swallows_interrupt: the group still raises when the body swallows the interruption
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  error(ValueError("boom"))
end

aio.run(function()
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    tg:create_task(bad)
    if not aio.catch(aio.CancelledError, aio.sleep, 10) then
      say("body swallowed")
    end
    say("body continues")
  end)
  local messages = {}
  for i, err in ipairs(group.errors) do
    messages[i] = err.message
  end
  say("group errors:", messages)
end)
