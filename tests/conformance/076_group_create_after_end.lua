-- 076_group_create_after_end: a finished group refuses new tasks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local finished
  do
    local tg <close> = aio.TaskGroup()
    finished = tg
  end
  if not aio.catch(aio.RuntimeError, finished.create_task, finished, say, "not printed") then
    say("error: group is finished")
  end
  -- A group is entered where it is made, which only a task can do: a callback cannot.
  aio.get_running_loop():call_soon(function()
    if not aio.catch(aio.RuntimeError, aio.TaskGroup) then
      say("error: group not entered")
    end
  end)
  aio.sleep(0)
end)
