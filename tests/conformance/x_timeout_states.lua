-- x_timeout_states: when, reschedule and expired in the states of a scope
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local tm
  do
    local scope <close> = aio.timeout(nil)
    tm = scope
    say(tm:when(), tm:expired())
    tm:reschedule(loop:time() + 10)
    say(tm:when() > loop:time(), tm:expired())
    tm:reschedule(nil)
    say(tm:when())
  end
  say(tm:expired())
  if not aio.catch(aio.RuntimeError, tm.reschedule, tm, 1) then say("finished: no reschedule") end
  local ok = aio.catch(aio.TimeoutError, function()
    local scope <close> = aio.timeout(0.001)
    tm = scope
    local _ <close> = aio.defer(function()
      say("expiring", tm:expired())
      if not aio.catch(aio.RuntimeError, tm.reschedule, tm, nil) then
        say("expired: no reschedule")
      end
    end)
    aio.sleep(10)
  end)
  if not ok then say("timeout", tm:expired()) end
end)
