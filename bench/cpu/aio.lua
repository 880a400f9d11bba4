-- JOBS of fib(FIB) on WORKERS threads, a Lua state each
local bench, aio = require "bench", require "aio"
local JOBS, FIB, WORKERS = bench.arg(1, 8), bench.arg(2, 30), bench.arg(3, 2)
local function fib(k) if k < 2 then return k end return fib(k - 1) + fib(k - 2) end
aio.run(function()
  local loop, jobs = aio.get_running_loop(), {}
  for i = 1, JOBS do jobs[i] = FIB end
  local t = loop:time()
  local executor <close> = aio.Executor { max_workers = WORKERS }
  local got = executor:map(fib, jobs)
  bench.report(JOBS, loop:time() - t)
  assert(got[1] == got[JOBS])
end)
