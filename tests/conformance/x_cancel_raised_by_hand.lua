-- x_cancel_raised_by_hand: a task that raises the cancel error itself counts as cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  error(aio.CancelledError("by hand"))
end

aio.run(function()
  local t = aio.create_task(child)
  local _, err = aio.catch(aio.CancelledError, t.await, t)
  say("message:", err.message)
  say("cancelled", t:cancelled(), "requests", t:cancelling())
end)
