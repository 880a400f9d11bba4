-- x_timer_deadlines: deadlines decide, not the order of creation; a negative delay is no delay
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local now = loop:time()
  for _, n in ipairs { 3, 1, 2, 0 } do
    loop:call_at(now + 0.01 + n / 1000, say, "timer", n)
  end
  loop:call_later(-5, say, "negative")
  loop:call_soon(say, "soon")
  say("scheduled")
  aio.sleep(0.03)
  loop:call_at(now, say, "in the past")
  aio.sleep(0.01)
  say("end")
end)
