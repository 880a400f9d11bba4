-- x_task_late_callbacks: callbacks added to a finished task run on the next turn, in order, behind
-- what is ready
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick() return 1 end

aio.run(function()
  local loop = aio.get_running_loop()
  local t = aio.create_task(quick)
  t:add_done_callback(function(x) say("early", x:result()) end)
  t:await()
  say("awaited")
  loop:call_soon(say, "soon 1")
  t:add_done_callback(function() say("late 1") end)
  loop:call_soon(say, "soon 2")
  t:add_done_callback(function() say("late 2") end)
  t:await()
  say("no turn")
  aio.sleep(0)
  say("turn")
end)
