-- 080_group_child_cancelled_alone: cancelling one child is not a group failure
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 0.03)
  if not ok then
    say("child", n, "cancelled")
    error(err)
  end
  say("child", n, "finished")
end

aio.run(function()
  local a
  do
    local tg <close> = aio.TaskGroup()
    a = tg:create_task(child, 1)
    tg:create_task(child, 2)
    aio.sleep(0.01)
    a:cancel()
  end
  say("group ends, a cancelled", a:cancelled())
end)
