-- 116_timeout_reuse: a timeout scope can be used once only and needs a task
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tm = aio.timeout(1)
  tm:run(aio.sleep, 0)
  if not aio.catch(aio.RuntimeError, tm.run, tm, say, "not printed") then
    say("error: already used")
  end
  if not aio.catch(aio.RuntimeError, tm.reschedule, tm, nil) then
    say("error: not active")
  end
end)
