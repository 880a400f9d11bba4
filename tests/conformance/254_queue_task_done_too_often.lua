-- 254_queue_task_done_too_often: more marks than items is an error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  q:put_nowait(1)
  q:task_done()
  if not aio.catch(aio.RuntimeError, q.task_done, q) then
    say("error: too many")
  end
end)
