-- x_current_task: the current task in nested calls, callbacks, done callbacks and generators
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  aio.current_task():set_name("main")
  local g = aio.generator(function(yield)
    say("gen", aio.current_task():get_name())
    yield(1)
    say("gen", aio.current_task():get_name())
  end)
  g()
  local t = aio.create_task_with({ name = "other" }, function()
    for _ in g do end
  end)
  t:add_done_callback(function() say("cb", aio.current_task()) end)
  t:await()
  aio.sleep(0)
  say(aio.current_task():get_name(), aio.current_task(loop) == aio.current_task())
end)
if not aio.catch(aio.RuntimeError, aio.current_task) then say("no loop") end
if not aio.catch(aio.RuntimeError, aio.all_tasks) then say("no loop") end
if not aio.catch(aio.RuntimeError, aio.create_task, function() end) then say("no loop") end
