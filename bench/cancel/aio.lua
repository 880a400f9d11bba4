-- spawn N sleeping tasks, cancel them all, await them all
local bench, aio = require "bench", require "aio"
local N = bench.arg(1, 100000)
aio.run(function()
  local loop = aio.get_running_loop()
  local t, tasks = loop:time(), {}
  for i = 1, N do tasks[i] = aio.create_task(aio.sleep, 3600) end
  aio.sleep(0)
  local spawned = loop:time()
  for i = 1, N do tasks[i]:cancel() end
  local _, errors = aio.gather(tasks, { return_exceptions = true })
  local stop = loop:time()
  bench.report(N, stop - t, { cancel_s = stop - spawned })
  for i = 1, N do assert(aio.is(errors[i], aio.CancelledError)) end
end)
