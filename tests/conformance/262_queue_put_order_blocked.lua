-- 262_queue_put_order_blocked: blocked producers are let in first come, first served
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue(1)
  for v in ("abcd"):gmatch(".") do
    aio.create_task(q.put, q, v)
    aio.sleep(0)
  end
  local got = {}
  for n = 1, 4 do
    got[n] = q:get()
    aio.sleep(0.002)
  end
  say(got)
end)
