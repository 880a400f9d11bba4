-- one producer, one consumer, N items through a queue of CAP places (0: no bound)
local bench, aio = require "bench", require "aio"
local N, CAP = bench.arg(1, 1000000), bench.arg(2, 100)
local function producer(queue)
  for i = 0, N - 1 do queue:put(i) end
  queue:put(false)
end
local function consumer(queue)
  local total, v = 0, queue:get()
  while v do total = total + v v = queue:get() end
  return total
end
aio.run(function()
  local loop, queue = aio.get_running_loop(), aio.Queue(CAP)
  local t = loop:time()
  local _, total = aio.gather(aio.create_task(producer, queue), aio.create_task(consumer, queue))
  bench.report(N, loop:time() - t)
  assert(total == N * (N - 1) // 2)
end)
