-- 072_group_two_errors: errors raised in the same turn are all collected
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

aio.run(function()
  local event = aio.Event()
  local function bad(message)
    event:wait()
    error(ValueError(message))
  end
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    tg:create_task(bad, "one")
    tg:create_task(bad, "two")
    aio.sleep(0)
    event:set()
  end)
  local messages = {}
  for i, err in ipairs(group.errors) do
    messages[i] = err.message
  end
  say("group errors:", messages)
end)
