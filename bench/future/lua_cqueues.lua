-- N cycles of cqueues.promise: set before it is awaited (MODE 0), or by another coroutine while
-- awaited (MODE 1)
local bench, cqueues, promise = require "bench", require "cqueues", require "cqueues.promise"
local N, MODE = bench.arg(1, 1000000), bench.arg(2, 0)
local total, t, cq = 0, cqueues.monotime(), cqueues.new()
cq:wrap(function()
  for i = 0, N - 1 do
    local p = promise.new()
    if MODE == 1 then cq:wrap(function() p:set(true, i) end) else p:set(true, i) end
    total = total + p:get()
  end
end)
assert(cq:loop())
bench.report(N, cqueues.monotime() - t)
assert(total == N * (N - 1) // 2)
