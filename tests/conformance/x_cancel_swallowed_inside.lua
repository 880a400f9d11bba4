-- x_cancel_swallowed_inside: an inner task that survives the cancel lets its waiter go on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function stubborn()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("inner swallows")
    return "value"
  end
end

aio.run(function()
  local t = aio.create_task(function()
    say("outer got", (aio.create_task(stubborn):await()))
    aio.sleep(0)
    return "outer done"
  end)
  aio.sleep(0.01)
  t:cancel()
  say(t:await(), t:cancelled(), t:cancelling())
end)
