-- 464_philosophers: ordered locks avoid a deadlock
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local forks, meals, ts = {}, {}, {}
  local function philosopher(i)
    local a, b = math.min(i, i % 5 + 1), math.max(i, i % 5 + 1)
    for _ = 1, 3 do
      local _ <close> = forks[a]:acquire()
      aio.sleep(0)
      local _ <close> = forks[b]:acquire()
      meals[i] = meals[i] + 1
      aio.sleep(0)
    end
  end
  for i = 1, 5 do
    forks[i], meals[i] = aio.Lock(), 0
    ts[i] = aio.create_task(philosopher, i)
  end
  aio.timeout(5, aio.gather, ts)
  say(meals)
end)
