-- TASKS coroutines take and free a hand-made fair lock ITERS times each, giving way while they hold
-- it
local bench, loop = require "bench", require "luvloop"
local TASKS, ITERS = bench.arg(1, 100), bench.arg(2, 10000)
local running, yield, soon = coroutine.running, coroutine.yield, loop.soon
local held, waiters, head, tail, count = false, {}, 1, 0, 0
local function acquire()
  if not held then held = true return end
  tail = tail + 1
  waiters[tail] = running()
  yield()
end
local function release()
  local co = waiters[head]
  if not co then held = false return end
  waiters[head] = nil
  head = head + 1
  soon(co)
end
loop.main(function()
  local t = loop.now()
  loop.gather(TASKS, function()
    return function()
      for _ = 1, ITERS do
        acquire()
        local seen = count
        loop.yield()
        count = seen + 1
        release()
      end
    end
  end)
  bench.report(TASKS * ITERS, loop.now() - t)
  assert(count == TASKS * ITERS)
end)
