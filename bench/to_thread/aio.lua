-- N functions one after the other in a worker thread: there and back
local bench, aio = require "bench", require "aio"
local N = bench.arg(1, 100000)
local function double(x) return 2 * x end
aio.run(function()
  local loop = aio.get_running_loop()
  aio.to_thread(double, 0)
  local t, total = loop:time(), 0
  for i = 1, N do total = total + aio.to_thread(double, i) end
  bench.report(N, loop:time() - t)
  assert(total == N * (N + 1))
end)
