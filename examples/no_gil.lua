-- Two threads that compute: in Python they take turns at the interpreter's lock, the GIL, and need
-- as long together as one needs for both. Here each has a Lua state of its own: two are twice as
-- fast as one, if there are two processors that have nothing else to do.
-- no_gil.lua [n]
local aio = require "aio"

local TRIES = 3 -- the quickest counts: other programs may be in the way

local function count_down(n)
  while n > 0 do n = n - 1 end
  return "done"
end

-- Seconds for two countdowns in so many threads.
local function measure(threads, n)
  local loop = aio.get_running_loop()
  local executor <close> = aio.Executor { max_workers = threads }
  executor:map(count_down, { 1, 1 }) -- the threads have started
  local best = math.huge
  for _ = 1, TRIES do
    local start = loop:time()
    executor:map(count_down, { n, n })
    best = math.min(best, loop:time() - start)
  end
  return best
end

aio.main(function(n)
  n = math.tointeger(n) or 20000000
  local one, two = measure(1, n), measure(2, n)
  print(("one thread:  %.3f s"):format(one))
  print(("two threads: %.3f s"):format(two))
  print(("%.2f times as fast"):format(one / two))
end, ...)
