-- 110_timeout_external_cancel: an outside cancel is not turned into a timeout
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work()
  local tm = aio.timeout(5)
  local classes = { aio.TimeoutError, aio.CancelledError }
  local _, err = aio.catch(classes, tm.run, tm, aio.sleep, 10)
  if aio.is(err, aio.TimeoutError) then
    say("not printed")
  else
    say("cancelled, expired", tm:expired())
    error(err)
  end
end

aio.run(function()
  local t = aio.create_task(work)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("flag", t:cancelled())
end)
