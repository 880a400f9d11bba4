-- 106_timeout_reschedule_none: a deadline can be removed and set later
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local tm = aio.timeout(0.01)
  tm:run(function()
    tm:reschedule(nil)
    say("no deadline", tm:when() == nil)
    aio.sleep(0.03)
  end)
  say("expired", tm:expired())
  local ok = aio.catch(aio.TimeoutError, function()
    local later <close> = aio.timeout(nil)
    aio.sleep(0.01)
    later:reschedule(loop:time() + 0.01)
    aio.sleep(10)
  end)
  if not ok then
    say("timeout")
  end
end)
