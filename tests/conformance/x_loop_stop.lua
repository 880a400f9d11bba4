-- x_loop_stop: stop ends run_forever after the batch, what that batch schedules waits for the next
-- run
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local loop <close> = aio.new_event_loop()
local function first()
  say("first")
  loop:call_soon(say, "scheduled by first")
  loop:stop()
end
loop:call_soon(first)
loop:call_soon(say, "second")
loop:run_forever()
say("stopped", loop:is_running(), loop:is_closed())
loop:stop()
loop:call_soon(say, "with early stop")
loop:run_forever()
say("stopped again")
loop:call_soon(loop.stop, loop)
loop:call_soon(loop.stop, loop)
loop:run_forever()
say("stopped third")
loop:close()
say(loop:is_closed())
loop:close()
