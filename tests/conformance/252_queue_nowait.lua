-- 252_queue_nowait: non-blocking forms report empty and full
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue(1)
  if not aio.catch(aio.QueueEmpty, q.get_nowait, q) then
    say("error: empty")
  end
  q:put_nowait(1)
  if not aio.catch(aio.QueueFull, q.put_nowait, q, 2) then
    say("error: full")
  end
  say(q:get_nowait())
end)
