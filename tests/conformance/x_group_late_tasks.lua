-- x_group_late_tasks: children may add children; the group waits for all
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(g, n)
  say("start", n)
  aio.sleep(0.002)
  if n < 3 then
    g:create_task(child, g, n + 1)
  end
  say("end", n)
  return n
end

aio.run(function()
  local t
  do
    local g <close> = aio.TaskGroup()
    t = g:create_task(child, g, 0)
    say("body ends")
  end
  say("all done", t:result())
end)
