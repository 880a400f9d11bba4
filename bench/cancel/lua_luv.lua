-- spawn N coroutines asleep on a libuv timer each; to cancel is to close the timer and resume with
-- an error
local bench, uv, loop = require "bench", require "luv", require "luvloop"
local N = bench.arg(1, 100000)
local resume, running, yield = coroutine.resume, coroutine.running, coroutine.yield
local cancelled, timers, caught = {}, {}, 0
local function sleep(seconds)
  local co, timer = running(), uv.new_timer()
  timers[co] = timer
  timer:start(seconds * 1000, 0, function() timer:close() resume(co) end)
  local err = yield()
  timers[co] = nil
  if err then error(err, 0) end
end
loop.main(function()
  local t, tasks = loop.now(), {}
  for i = 1, N do
    tasks[i] = loop.spawn(function()
      local _, err = pcall(sleep, 3600)
      if err == cancelled then caught = caught + 1 end
    end)
  end
  loop.yield()
  local spawned = loop.now()
  for i = 1, N do
    timers[tasks[i]]:close()
    resume(tasks[i], cancelled)
  end
  loop.yield()
  local stop = loop.now()
  bench.report(N, stop - t, { cancel_s = stop - spawned })
  assert(caught == N)
end)
