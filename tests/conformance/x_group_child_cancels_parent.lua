-- x_group_child_cancels_parent: a child cancels the task of its group
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(p)
  aio.sleep(0)
  say("cancel parent", p:cancel("from child"))
  local _ <close> = aio.defer(say, "child out")
  aio.sleep(10)
end

local function work()
  local me = aio.current_task()
  local ok, e = aio.catch(aio.CancelledError, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(child, me)
  end)
  if not ok then say("work", { e.message }, me:cancelling(), me:uncancel()) end
  say("still", me:cancelling())
  return "ok"
end

aio.run(function()
  say(aio.create_task(work):await())
end)
