-- x_run_forever_stop: stop ends run_forever after the current batch, and the loop can go on later
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local loop <close> = aio.new_event_loop()
loop:call_soon(say, "one batch")
loop:stop()
loop:run_forever()
say("stopped, running", loop:is_running())

loop:call_soon(function()
  say("stopping")
  loop:stop()
  loop:call_soon(say, "left for the next run")
end)
loop:call_soon(say, "same batch")
loop:run_forever()
say("stopped")
loop:call_later(0.01, loop.stop, loop)
loop:run_forever()
say("closed", loop:is_closed())
loop:close()
say("closed", loop:is_closed())
