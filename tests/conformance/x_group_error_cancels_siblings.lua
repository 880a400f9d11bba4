-- x_group_error_cancels_siblings: a failing child cancels its siblings and interrupts the body
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

local function sibling()
  local _ <close> = aio.defer(say, "sibling unwound")
  aio.sleep(10)
end

aio.run(function()
  local s
  local _, group = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    s = tg:create_task(sibling)
    tg:create_task(bad)
    local _ <close> = aio.defer(say, "body interrupted")
    aio.sleep(10)
  end)
  say("group errors:", messages(group))
  say("sibling cancelled", s:cancelled(), "own requests", aio.current_task():cancelling())
end)
