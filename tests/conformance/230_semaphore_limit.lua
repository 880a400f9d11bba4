-- 230_semaphore_limit: at most n tasks inside
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local sem = aio.Semaphore(2)
  local now, max = 0, 0
  local function worker()
    local _ <close> = sem:acquire()
    now = now + 1
    max = math.max(max, now)
    aio.sleep(0.005)
    now = now - 1
  end
  local ts = {}
  for n = 1, 7 do
    ts[n] = aio.create_task(worker)
  end
  aio.gather(ts)
  say("max", max, "left", now, "locked", sem:locked())
end)
