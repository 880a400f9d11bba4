-- x_eager_start: an eager task runs at once up to its first wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(name, delay)
  say("child", name, "starts")
  if delay then
    aio.sleep(delay)
    say("child", name, "resumes")
  end
  return name
end

aio.run(function()
  local eager = { eager_start = true }
  local a = aio.create_task_with(eager, child, "a")
  say("a done", a:done())
  local b = aio.create_task_with(eager, child, "b", 0)
  say("b done", b:done())
  local c = aio.create_task(child, "c")
  say("c done", c:done())
  say(aio.gather { a, b, c })
end)
