-- x_uncancel: cancel requests are counted, uncancel takes one back
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local t = aio.current_task()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("cancelling", t:cancelling())
    say("uncancel", t:uncancel())
    say("uncancel at zero", t:uncancel())
  end
  aio.sleep(0)
  say("goes on")
  return "done"
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  say("cancel", t:cancel(), "cancelling", t:cancelling())
  say(t:await(), t:cancelled(), t:cancelling())
  say("cancel finished", t:cancel())
end)
