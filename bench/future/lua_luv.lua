-- N cycles of a hand-made future: set before it is awaited (MODE 0), or by another task while
-- awaited (MODE 1)
local bench, loop = require "bench", require "luvloop"
local N, MODE = bench.arg(1, 1000000), bench.arg(2, 0)
local running, yield, soon = coroutine.running, coroutine.yield, loop.soon
local Future = {}
Future.__index = Future
function Future.set(f, v)
  f.done, f.value = true, v
  if f.waiter then soon(f.waiter) end
end
function Future.await(f)
  if not f.done then f.waiter = running() yield() end
  return f.value
end
loop.main(function()
  local total, t = 0, loop.now()
  for i = 0, N - 1 do
    local f = setmetatable({}, Future)
    if MODE == 1 then loop.spawn(function() f:set(i) end) else f:set(i) end
    total = total + f:await()
  end
  bench.report(N, loop.now() - t)
  assert(total == N * (N - 1) // 2)
end)
