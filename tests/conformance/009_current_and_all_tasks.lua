-- 009_current_and_all_tasks: introspection of the running task and the live set
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  say("in child:", aio.current_task():get_name())
  aio.sleep(0.02)
end

aio.run(function()
  local me = aio.current_task()
  me:set_name("main")
  say("alive", #aio.all_tasks())
  local a = aio.create_task_with({ name = "A" }, child)
  local b = aio.create_task_with({ name = "B" }, child)
  say("alive", #aio.all_tasks())
  aio.sleep(0)
  local names = {}
  for i, t in ipairs(aio.all_tasks()) do
    names[i] = t:get_name()
  end
  table.sort(names)
  say(names)
  aio.gather(a, b)
  say("alive", #aio.all_tasks(), "current is main", aio.current_task() == me)
end)
