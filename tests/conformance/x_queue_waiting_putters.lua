-- x_queue_waiting_putters: putters that wait at a full priority queue come in order, items by
-- priority
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function put(q, x)
  q:put(x)
  say("put", x)
end

aio.run(function()
  local q = aio.PriorityQueue(1)
  local ts = {}
  for i, x in ipairs { 5, 1, 3 } do ts[i] = aio.create_task(put, q, x) end
  aio.sleep(0)
  for _ = 1, 3 do
    say("get", q:get(), q:qsize())
    aio.sleep(0)
  end
  aio.gather(ts)
  local l = aio.LifoQueue(2)
  for _, x in ipairs { 1, 2, 3, 4 } do aio.create_task(put, l, x) end
  aio.sleep(0)
  for _ = 1, 4 do
    say("get", l:get())
    aio.sleep(0)
  end
end)
