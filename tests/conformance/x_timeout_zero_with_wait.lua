-- x_timeout_zero_with_wait: an expired deadline fires at the first wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tm = aio.timeout(0)
  local ok = aio.catch(aio.TimeoutError, tm.run, tm, function()
    say("body")
    aio.sleep(10)
    say("not printed")
  end)
  if not ok then
    say("timeout", tm:expired())
  end
end)
