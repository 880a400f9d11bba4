-- x_task_factory: a task factory makes the tasks of create_task, gather and groups
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local made = 0

local function factory(loop, opts, fn, ...)
  made = made + 1
  return aio.Task(loop, opts, fn, ...)
end

local function child(n)
  return n
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_task_factory(factory)
  say("set", loop:get_task_factory() == factory)
  say(aio.create_task(child, "one"):await(), made)
  local async_child = aio.async(child)
  local list = aio.gather { async_child("two"), async_child("three") }
  say(list, made)
  local t
  do
    local tg <close> = aio.TaskGroup()
    t = tg:create_task(child, "four")
  end
  say(t:result(), made)
  loop:set_task_factory(nil)
  say(aio.create_task(child, "five"):await(), made)
end)
