-- x_queue_getters_fifo: waiting consumers are served in the order in which they came
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  local consumer = aio.async(function(n)
    say("consumer", n, "got", q:get())
  end)
  local ts = { consumer(0), consumer(1), consumer(2) }
  aio.sleep(0)
  for v in ("xyz"):gmatch(".") do
    q:put_nowait(v)
  end
  say("size before they run", q:qsize())
  aio.gather(ts)
  say("size", q:qsize())
end)
