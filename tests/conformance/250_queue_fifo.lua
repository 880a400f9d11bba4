-- 250_queue_fifo: items come out in order; sizes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  say("empty", q:empty(), "full", q:full(), "max", q.maxsize)
  for n = 0, 2 do
    q:put(n)
  end
  say("size", q:qsize())
  say({ q:get(), q:get(), q:get() })
  say("empty", q:empty())
end)
