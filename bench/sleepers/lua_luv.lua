-- N coroutines, each with a libuv timer, all asleep for SECS at once
local bench, uv, loop = require "bench", require "luv", require "luvloop"
local now, sleep = loop.now, loop.sleep
local N, SECS = bench.arg(1, 100000), bench.arg(2, 5)
local asleep, awake, armed, carmed, first = 0, 0
local function task()
  asleep = asleep + 1
  if asleep == N then armed, carmed = now(), os.clock() end
  sleep(SECS)
  awake = awake + 1
  if awake == 1 then first = now() end
end
local base, t, c = bench.rss_kb "VmRSS", now(), os.clock()
for _ = 1, N do loop.spawn(task) end
uv.run()
local stop, cstop = now(), os.clock()
assert(awake == N)
bench.report(N, stop - t - SECS, {
  spawn_s = armed - t, spawn_cpu_s = carmed - c, wake_s = stop - first, wake_cpu_s = cstop - carmed,
  bytes_per_task = math.floor((bench.rss_kb() - base) * 1024 / N),
})
