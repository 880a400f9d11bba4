-- x_eager_all_tasks: an eager task is listed while it waits
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local f = aio.get_running_loop():create_future()
  local t = aio.create_task_with({ eager_start = true }, aio.await, f)
  say("alive", #aio.all_tasks())
  f:set_result()
  t:await()
  say("alive", #aio.all_tasks())
end)
