-- TASKS coroutines take and free a lock made of a condition ITERS times each, giving way while they
-- hold it
local bench, cqueues, condition = require "bench", require "cqueues", require "cqueues.condition"
local TASKS, ITERS = bench.arg(1, 100), bench.arg(2, 10000)
local free, held, count = condition.new(), false, 0
local cq, t = cqueues.new(), cqueues.monotime()
for _ = 1, TASKS do
  cq:wrap(function()
    for _ = 1, ITERS do
      while held do free:wait() end
      held = true
      local seen = count
      cqueues.poll(0)
      count = seen + 1
      held = false
      free:signal(1)
    end
  end)
end
assert(cq:loop())
bench.report(TASKS * ITERS, cqueues.monotime() - t)
assert(count == TASKS * ITERS)
