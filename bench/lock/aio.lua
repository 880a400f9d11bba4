-- TASKS tasks take and free one lock ITERS times each, giving way while they hold it
local bench, aio = require "bench", require "aio"
local sleep = aio.sleep
local TASKS, ITERS = bench.arg(1, 100), bench.arg(2, 10000)
local count = 0
local function task(lock)
  for _ = 1, ITERS do
    local _ <close> = lock:acquire()
    local seen = count
    sleep(0)
    count = seen + 1
  end
end
aio.run(function()
  local loop, lock = aio.get_running_loop(), aio.Lock()
  local t, tasks = loop:time(), {}
  for i = 1, TASKS do tasks[i] = aio.create_task(task, lock) end
  aio.gather(tasks)
  bench.report(TASKS * ITERS, loop:time() - t)
  assert(count == TASKS * ITERS)
end)
