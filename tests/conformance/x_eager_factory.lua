-- x_eager_factory: a loop with the eager factory starts each task at once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local main = aio.current_task()
  local function child(n)
    say("child", n, "starts in main", aio.current_task() == main)
    aio.sleep(0)
    return n
  end

  aio.get_running_loop():set_task_factory(aio.eager_task_factory)
  local t = aio.create_task(child, 1)
  say("created, current again main", aio.current_task() == main)
  say(t:await())
  local a, b
  do
    local tg <close> = aio.TaskGroup()
    a = tg:create_task(child, 2)
    b = tg:create_task(child, 3)
    say("body ends")
  end
  say(a:result(), b:result())
end)
