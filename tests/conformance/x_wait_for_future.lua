-- x_wait_for_future: a timeout cancels the future that was waited for
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  if not aio.catch(aio.TimeoutError, aio.wait_for, f, 0.01) then
    say("timeout, future cancelled", f:cancelled())
  end
  local g = loop:create_future()
  loop:call_later(0.01, g.set_result, g, "set")
  say(aio.wait_for(g, 5))
end)
