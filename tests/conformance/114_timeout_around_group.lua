-- 114_timeout_around_group: a timeout around a group cancels all children
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local seen = {}

local function child(n)
  local _ <close> = aio.defer(table.insert, seen, n)
  aio.sleep(10)
end

aio.run(function()
  local ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout(0.01)
    local tg <close> = aio.TaskGroup()
    tg:create_task(child, 1)
    tg:create_task(child, 2)
  end)
  if not ok then
    table.sort(seen)
    say("timeout, children unwound", seen)
  end
end)
