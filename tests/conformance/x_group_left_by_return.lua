-- x_group_left_by_return: a group left by return waits for its children first
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  aio.sleep(0.002)
  say("child", n)
end

local function work()
  local tg <close> = aio.TaskGroup()
  tg:create_task(child, 1)
  tg:create_task(child, 2)
  say("returning")
  return "value"
end

aio.run(function()
  say(work())
  for i = 0, 1 do
    local tg <close> = aio.TaskGroup()
    tg:create_task(child, 10 + i)
    if i == 0 then goto continue end
    say("not skipped", i)
    ::continue::
  end
end)
