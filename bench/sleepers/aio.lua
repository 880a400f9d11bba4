-- N tasks all asleep for SECS at once
local bench, aio = require "bench", require "aio"
local sleep = aio.sleep
local N, SECS = bench.arg(1, 100000), bench.arg(2, 5)
local asleep, awake, armed, carmed, first = 0, 0, nil, nil, nil
aio.run(function()
  local loop = aio.get_running_loop()
  local function task()
    asleep = asleep + 1
    if asleep == N then armed, carmed = loop:time(), os.clock() end
    sleep(SECS)
    awake = awake + 1
    if awake == 1 then first = loop:time() end
  end
  local base, t, c, tasks = bench.rss_kb "VmRSS", loop:time(), os.clock(), {}
  for i = 1, N do tasks[i] = aio.create_task(task) end
  for i = 1, N do tasks[i]:await() end
  local stop, cstop = loop:time(), os.clock()
  assert(awake == N)
  bench.report(N, stop - t - SECS, {
    spawn_s = armed - t, spawn_cpu_s = carmed - c,
    wake_s = stop - first, wake_cpu_s = cstop - carmed,
    bytes_per_task = math.floor((bench.rss_kb() - base) * 1024 / N),
  })
end)
