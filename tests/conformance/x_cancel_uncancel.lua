-- x_cancel_uncancel: uncancel counts down and the task goes on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local me = aio.current_task()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("requests", me:cancelling())
    say("left", me:uncancel())
    say("left", me:uncancel())
    say("left", me:uncancel())
  end
  aio.sleep(0.01)
  return "went on"
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel()
  t:cancel()
  local result = t:await()
  say(result, "requests", t:cancelling(), "cancelled", t:cancelled())
end)
