-- 100_timeout_expires: the scope is cancelled inside and raises timeout outside
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout(0.01)
    local slept, err = aio.catch(aio.CancelledError, aio.sleep, 10)
    if not slept then
      say("inside sees cancelled")
      error(err)
    end
  end)
  if not ok then
    say("timeout")
  end
  say("requests", aio.current_task():cancelling())
end)
