-- x_cancel_swallowed_again: swallowing cancels without uncancel keeps the count, a later cancel
-- still arrives
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function stubborn()
  for i = 0, 2 do
    local ok, e = aio.catch(aio.CancelledError, aio.sleep, 10)
    if not ok then say("swallowed", i, e.message, aio.current_task():cancelling()) end
  end
  return "end"
end

aio.run(function()
  local t = aio.create_task(stubborn)
  for i = 0, 2 do
    aio.sleep(0)
    say("cancel", t:cancel(tostring(i)))
    aio.sleep(0)
  end
  say(t:await(), t:cancelled(), t:cancelling())
end)
