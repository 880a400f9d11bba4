-- x_all_tasks_when: who is listed before the start, while waiting, after the end and in a callback
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function f() aio.sleep(0) end

local function names()
  local list = {}
  for i, t in ipairs(aio.all_tasks()) do list[i] = t:get_name() end
  table.sort(list)
  return list
end

aio.run(function()
  local loop = aio.get_running_loop()
  local a = aio.create_task_with({ name = "a" }, f)
  say(names())
  loop:call_soon(function() say("callback", names(), aio.current_task()) end)
  a:add_done_callback(function() say("done", names()) end)
  aio.sleep(0)
  say(names())
  a:await()
  say(names())
  local b = aio.create_task_with({ name = "b" }, f)
  b:cancel()
  say(names())
  aio.sleep(0)
  say(names())
end)
