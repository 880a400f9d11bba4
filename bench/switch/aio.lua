-- TASKS tasks, each giving way YIELDS times
local bench, aio = require "bench", require "aio"
local sleep = aio.sleep
local TASKS, YIELDS = bench.arg(1, 2), bench.arg(2, 1000000)
local function task() for _ = 1, YIELDS do sleep(0) end end
aio.run(function()
  local loop = aio.get_running_loop()
  local t, tasks = loop:time(), {}
  for i = 1, TASKS do tasks[i] = aio.create_task(task) end
  aio.gather(tasks)
  bench.report(TASKS * YIELDS, loop:time() - t)
end)
