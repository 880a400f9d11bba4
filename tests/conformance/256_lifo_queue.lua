-- 256_lifo_queue: last in, first out
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.LifoQueue(3)
  for n = 0, 2 do
    q:put_nowait(n)
  end
  say("full", q:full())
  say({ q:get_nowait(), q:get_nowait(), q:get_nowait() })
end)
