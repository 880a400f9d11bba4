-- 082_group_cancel_outer_at_exit: cancel while the group waits at exit
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local seen = {}

local function child(n)
  local _ <close> = aio.defer(function()
    aio.sleep(0.01)
    table.insert(seen, n)
  end)
  aio.sleep(10)
end

local function outer()
  local _ <close> = aio.defer(function()
    table.sort(seen)
    say("children unwound", seen)
  end)
  local tg <close> = aio.TaskGroup()
  tg:create_task(child, 1)
  tg:create_task(child, 2)
  say("body ends")
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
