-- 032_cancel_suppressed: a task may swallow the cancel and return a value
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("ignored")
  end
  aio.sleep(0.01)
  return "survived"
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel()
  say(t:await())
  say("cancelled", t:cancelled(), "requests", t:cancelling())
end)
