-- x_task_cancel_when_done: a finished task cannot be cancelled any more
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick()
  return "value"
end

aio.run(function()
  local t = aio.create_task(quick)
  t:await()
  say("cancel", t:cancel(), "cancelled", t:cancelled(), "requests", t:cancelling())
  say(t:result())
end)
