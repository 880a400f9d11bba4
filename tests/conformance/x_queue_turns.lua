-- x_queue_turns: turns between put and get with waiting getters and putters
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function getter(q, n)
  for _ = 1, 2 do say("got", n, q:get()) end
end

local function putter(q, n)
  for i = 0, 1 do
    q:put(n .. i)
    say("put", n, i)
  end
end

aio.run(function()
  local q = aio.Queue(1)
  local ts = {
    aio.create_task(getter, q, "x"), aio.create_task(getter, q, "y"),
    aio.create_task(putter, q, "a"), aio.create_task(putter, q, "b"),
  }
  for i = 0, 7 do
    say("turn", i, q:qsize())
    aio.sleep(0)
  end
  local list = {}
  for i, t in ipairs(ts) do list[i] = t:done() end
  say(list)
end)
