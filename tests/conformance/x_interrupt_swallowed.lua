-- x_interrupt_swallowed: main that survives the first interrupt returns its value
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function interrupt_self()
  io.popen("kill -INT $PPID"):close()
end

say(aio.run(function()
  aio.get_running_loop():call_later(0.01, interrupt_self)
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("main swallows")
  end
  aio.sleep(0.01)
  return "value"
end))
