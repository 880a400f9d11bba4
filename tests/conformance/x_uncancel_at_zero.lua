-- x_uncancel_at_zero: uncancel of a task that was not cancelled stays at zero
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local t = aio.current_task()
  say(t:uncancel(), t:cancelling())
  t:cancel()
  t:cancel()
  say(t:cancelling())
  say(t:uncancel())
  say(t:uncancel())
  say(t:uncancel())
  t:cancel()
  if not aio.catch(aio.CancelledError, aio.sleep, 0) then say("cancelled once") end
  aio.sleep(0)
  say("and goes on", t:cancelling())
  say(t:uncancel())
end)
