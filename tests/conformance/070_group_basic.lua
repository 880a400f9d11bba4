-- 070_group_basic: a group waits for all children on exit
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n, delay)
  aio.sleep(delay)
  say("child", n)
  return n * 10
end

aio.run(function()
  local a, b
  do
    local tg <close> = aio.TaskGroup()
    a = tg:create_task(child, 1, 0.03)
    b = tg:create_task(child, 2, 0.01)
    say("body ends")
  end
  say("group ends", a:result(), b:result())
end)
