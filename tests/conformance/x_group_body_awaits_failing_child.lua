-- x_group_body_awaits_failing_child: a body that awaits a failing child is cancelled, the error
-- comes once
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
  local _, group = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(tg)
    local t = tg:create_task(bad)
    local _, err = aio.catch({ ValueError, aio.CancelledError }, t.await, t)
    say(aio.is(err, ValueError) and "not printed" or "body cancelled")
    error(err)
  end)
  say("group errors:", messages(group))
end)
