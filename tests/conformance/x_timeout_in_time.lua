-- x_timeout_in_time: a scope that ends in time leaves nothing behind
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tm = aio.timeout(0.1)
  tm:run(function()
    aio.sleep(0.01)
    say("in time", tm:expired(), tm:when() ~= nil)
  end)
  aio.sleep(0.12)
  say("expired", tm:expired(), "requests", aio.current_task():cancelling())
end)
