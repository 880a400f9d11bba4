-- x_done_callback_schedules: what a done callback schedules runs a turn later
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  f:add_done_callback(function()
    say("cb")
    loop:call_soon(say, "soon from cb")
  end)
  f:add_done_callback(function()
    say("cb2")
    f:add_done_callback(function() say("late cb") end)
  end)
  loop:call_soon(f.set_result, f, 1)
  for i = 0, 3 do
    say("turn", i)
    aio.sleep(0)
  end
end)
