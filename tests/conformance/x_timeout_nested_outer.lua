-- x_timeout_nested_outer: the outer timeout passes through the inner scope
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local outer = aio.timeout(0.01)
  local ok = aio.catch(aio.TimeoutError, outer.run, outer, function()
    local inner = aio.timeout(10)
    local slept, err = aio.catch(aio.CancelledError, inner.run, inner, aio.sleep, 5)
    if not slept then
      say("inner sees a cancel, expired", inner:expired())
      error(err, 0)
    end
    say("never")
  end)
  if not ok then
    say("outer timeout, expired", outer:expired())
  end
  say("cancelling", aio.current_task():cancelling())
  aio.sleep(0)
  say("goes on")
end)
