-- 092_group_many_children: a hundred children, three fail, the rest are cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local cancelled = 0

local function child(i, event)
  local ok, err = aio.catch(aio.CancelledError, function()
    event:wait()
    if i % 40 == 3 then
      error(ValueError(tostring(i)))
    end
    aio.sleep(10)
  end)
  if not ok then
    cancelled = cancelled + 1
    error(err)
  end
end

aio.run(function()
  local event = aio.Event()
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    for i = 0, 99 do
      tg:create_task(child, i, event)
    end
    aio.sleep(0)
    event:set()
  end)
  local messages = {}
  for i, err in ipairs(group.errors) do
    messages[i] = err.message
  end
  say("errors", messages, "cancelled", cancelled)
end)
