-- x_group_all_children_cancelled: a group all of whose children are cancelled from outside ends
-- well
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  local _ <close> = aio.defer(say, "out", n)
  aio.sleep(10)
end

aio.run(function()
  local ts = {}
  do
    local tg <close> = aio.TaskGroup()
    for i = 0, 2 do ts[i + 1] = tg:create_task(child, i) end
    aio.sleep(0)
    for _, t in ipairs(ts) do t:cancel() end
  end
  say("group over", { ts[1]:cancelled(), ts[2]:cancelled(), ts[3]:cancelled() })
  local t
  do
    local tg <close> = aio.TaskGroup()
    t = tg:create_task(child, 9)
    t:cancel()
  end
  say("never started", t:cancelled())
end)
