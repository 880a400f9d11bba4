-- x_callback_not_a_task: a callback runs outside any task, with a running loop
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local function child()
    say("child", aio.current_task() ~= nil)
  end
  loop:call_soon(function()
    say("task", aio.current_task(), "loop", aio.get_running_loop() == loop)
    aio.create_task(child)
  end)
  aio.sleep(0)
  say("main")
  aio.sleep(0)
end)
if not aio.catch(aio.RuntimeError, aio.get_running_loop) then
  say("error: no running loop")
end
