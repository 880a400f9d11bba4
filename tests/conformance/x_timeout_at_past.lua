-- x_timeout_at_past: a deadline in the past fires at the first wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout_at(loop:time() - 1)
    say("body")
    aio.sleep(10)
  end)
  if not ok then
    say("timeout")
  end
  local tm = aio.timeout_at(loop:time() + 10)
  tm:run(aio.sleep, 0)
  say("expired", tm:expired())
end)
