-- x_timer_and_soon_order: soon, later zero, at past and sleep zero in one turn
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local now = loop:time()
  loop:call_later(0, say, "later 0")
  loop:call_soon(say, "soon 1")
  loop:call_at(now - 5, say, "at past")
  loop:call_soon(say, "soon 2")
  loop:call_later(-1, say, "later -1")
  say("main waits")
  aio.sleep(0)
  say("main turn 1")
  aio.sleep(0)
  say("main turn 2")
end)
