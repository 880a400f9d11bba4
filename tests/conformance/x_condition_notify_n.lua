-- x_condition_notify_n: notify(n) wakes the first n, notify_all the rest; each holds the lock alone
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local cond = aio.Condition()
  local inside = 0
  local function waiter(n)
    local _ <close> = cond:acquire()
    cond:wait()
    inside = inside + 1
    say("woke", n, "inside", inside)
    aio.sleep(0)
    inside = inside - 1
  end
  local ts = {}
  for n = 0, 4 do
    ts[#ts + 1] = aio.create_task(waiter, n)
  end
  aio.sleep(0.01)
  cond:with(cond.notify, cond, 2)
  aio.sleep(0.01)
  say("two are out")
  do
    local _ <close> = cond:acquire()
    cond:notify_all()
    say("notified, nobody runs while the lock is held")
  end
  aio.gather(ts)
end)
