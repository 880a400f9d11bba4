-- x_done_callback_and_waiter: callbacks and waiters of a task go in the order in which they came
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(t)
  t:await()
  say("waiter")
end

aio.run(function()
  local t = aio.create_task(aio.sleep, 0.01)
  t:add_done_callback(function()
    say("callback 1")
  end)
  local w = aio.create_task(waiter, t)
  aio.sleep(0)
  t:add_done_callback(function()
    say("callback 2")
  end)
  w:await()
end)
