-- x_priority_queue: the least item first; a waiting getter takes what comes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.PriorityQueue()
  for _, n in ipairs { 5, 1, 4, 2, 3 } do
    q:put_nowait(n)
  end
  local got = {}
  for i = 1, 5 do
    got[i] = q:get_nowait()
  end
  say(got)
  for _, item in ipairs { { 2, "b" }, { 1, "a" }, { 3, "c" } } do
    q:put(item)
  end
  say({ q:get()[2], q:get()[2], q:get()[2] })
  local t = aio.create_task(q.get, q)
  aio.sleep(0)
  q:put_nowait(9)
  q:put_nowait(8)
  say(t:await(), q:get_nowait())
end)
