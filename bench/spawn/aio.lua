-- spawn N tasks that return at once, joined by gathers of 10,000
local bench, aio = require "bench", require "aio"
local create_task, gather = aio.create_task, aio.gather
local N, BATCH = bench.arg(1, 1000000), 10000
local function task(i) return i end
aio.run(function()
  local loop = aio.get_running_loop()
  local total, t, tasks = 0, loop:time(), {}
  for first = 0, N - 1, BATCH do
    for i = 1, BATCH do tasks[i] = create_task(task, first + i - 1) end
    local results = gather(tasks)
    for i = 1, BATCH do total = total + results[i] end
  end
  bench.report(N, loop:time() - t)
  assert(total == N * (N - 1) // 2)
end)
