-- 160_call_soon_order: callbacks run FIFO, with arguments, after the current step
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  loop:call_soon(say, "first", 1)
  loop:call_soon(say, "second", 2)
  say("scheduled")
  aio.sleep(0)
  say("after one turn")
end)
