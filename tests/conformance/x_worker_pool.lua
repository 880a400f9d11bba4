-- x_worker_pool: bounded concurrency with results in order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local sem = aio.Semaphore(3)
  local now, max = 0, 0
  local function fetch(n)
    local _ <close> = sem:acquire()
    now = now + 1
    max = math.max(max, now)
    aio.sleep(0.002 * (n % 3))
    now = now - 1
    return n * n
  end
  local results = {}
  do
    local g <close> = aio.TaskGroup()
    for n = 0, 9 do
      g:create_task(function()
        results[n + 1] = fetch(n)
      end)
    end
  end
  say(results, "max", max)
end)
