-- cqueues cannot cancel a coroutine: each of the N sleeps on a condition of its own, and a signal
-- stands for the cancel
local bench, cqueues, condition = require "bench", require "cqueues", require "cqueues.condition"
local N = bench.arg(1, 100000)
local cq, conds, caught, t = cqueues.new(), {}, 0, cqueues.monotime()
local asleep, stop, spawned = 0
cq:wrap(function()
  for i = 1, N do
    local c = condition.new()
    conds[i] = c
    cq:wrap(function()
      asleep = asleep + 1
      if cqueues.poll(c, 3600) == c then caught = caught + 1 end
      if caught == N then stop = cqueues.monotime() end
    end)
  end
  while asleep < N do cqueues.poll(0) end
  cqueues.poll(0)
  spawned = cqueues.monotime()
  for i = 1, N do conds[i]:signal() end
end)
assert(cq:loop())
bench.report(N, stop - t, { cancel_s = stop - spawned })
assert(caught == N)
