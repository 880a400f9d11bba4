-- 162_call_later_order: timers fire by deadline; equal work goes through call_soon first
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  loop:call_later(0.06, say, "late")
  loop:call_later(0.02, say, "early")
  loop:call_at(loop:time() + 0.04, say, "middle")
  loop:call_soon(say, "soon")
  aio.sleep(0.1)
  say("end")
end)
