-- 078_group_sibling_cleanup_error: errors raised by cancelled siblings join the group error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  aio.sleep(0.01)
  error(ValueError("first"))
end

local function messy()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    aio.sleep(0.01)
    error(ValueError("second"))
  end
end

aio.run(function()
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    tg:create_task(messy)
    tg:create_task(bad)
  end)
  local messages = {}
  for i, err in ipairs(group.errors) do
    messages[i] = err.message
  end
  say("group errors:", messages)
end)
