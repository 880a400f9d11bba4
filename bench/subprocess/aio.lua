-- run /bin/true N times, CONC at once
local bench, aio = require "bench", require "aio"
local N, CONC = bench.arg(1, 1000), bench.arg(2, 16)
local left = N
local function worker()
  while left > 0 do
    left = left - 1
    assert(aio.create_subprocess_exec("/bin/true"):wait() == 0)
  end
end
aio.run(function()
  local loop, workers = aio.get_running_loop(), {}
  local t = loop:time()
  for i = 1, CONC do workers[i] = worker end
  aio.gather(workers)
  bench.report(N, loop:time() - t)
end)
