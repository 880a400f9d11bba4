-- x_task_and_callback_queue: tasks and callbacks share one queue, first in, first out
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  loop:call_soon(say, "callback", 1)
  aio.create_task(say, "child", 1)
  loop:call_soon(say, "callback", 2)
  aio.create_task(say, "child", 2)
  aio.sleep(0)
  say("main again")
end)
