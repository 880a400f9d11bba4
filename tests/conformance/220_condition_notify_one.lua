-- 220_condition_notify_one: notify wakes waiters one at a time in order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, cond)
  local _ <close> = cond:acquire()
  cond:wait()
  say("woke", n)
end

aio.run(function()
  local cond = aio.Condition()
  local ts = {}
  for n = 0, 2 do
    ts[#ts + 1] = aio.create_task(waiter, n, cond)
  end
  aio.sleep(0.01)
  for _ = 1, 3 do
    cond:with(function()
      cond:notify()
      say("notified")
    end)
    aio.sleep(0.01)
  end
  aio.gather(ts)
end)
