-- 440_agen_basic: an asynchronous generator interleaves with other tasks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function ticks(yield, n)
  for i = 0, n - 1 do
    aio.sleep(0)
    yield(i)
  end
end

local consumer = aio.async(function(name)
  for i in aio.generator(ticks, 3) do
    say(name, i)
  end
end)

aio.run(function()
  aio.gather(consumer("a"), consumer("b"))
end)
