-- x_queue_join_turns: join of an empty queue does not wait; when it returns; items put while it
-- waits
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function worker(q)
  while true do
    local x = q:get()
    say("work", x)
    if x < 3 then q:put_nowait(x + 1) end
    q:task_done()
  end
end

aio.run(function()
  local q = aio.Queue()
  q:join()
  say("nothing to join")
  local w = aio.create_task(worker, q)
  q:put_nowait(1)
  q:put_nowait(10)
  local j = aio.create_task(q.join, q)
  j:add_done_callback(function() say("joined") end)
  for i = 0, 5 do
    say("turn", i)
    aio.sleep(0)
  end
  q:join()
  q:put_nowait(20)
  j = aio.create_task(q.join, q)
  aio.sleep(0)
  j:cancel()
  aio.wait { j }
  say(j:cancelled())
  if not pcall(q.task_done, q) then say("too often") end
  w:cancel()
end)
