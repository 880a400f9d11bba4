-- x_group_exit_waits: the group closes only after the slowest child
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  for _ = 1, n do
    aio.sleep(0)
  end
  say("child", n)
  return n
end

aio.run(function()
  local tasks = {}
  aio.TaskGroup(function(tg)
    for i, n in ipairs { 4, 1, 3, 2 } do
      tasks[i] = tg:create_task(child, n)
    end
  end)
  say(aio.gather(tasks))
end)
