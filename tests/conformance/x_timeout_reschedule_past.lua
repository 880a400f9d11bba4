-- x_timeout_reschedule_past: a deadline moved into the past fires at the next wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local ok = aio.catch(aio.TimeoutError, function()
    local tm <close> = aio.timeout(10)
    tm:reschedule(loop:time() - 1)
    say("not yet", tm:expired())
    aio.sleep(0)
    say("one turn", tm:expired())
    aio.sleep(0)
    say("not printed")
  end)
  if not ok then say("timeout") end
  ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout_at(loop:time() - 5)
    say("body")
    aio.sleep(0)
    say("not printed")
  end)
  if not ok then say("timeout at") end
end)
