-- x_condition_turns: notify while holding: waiters go on in order, each after the lock is free
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(c, n)
  local _ <close> = c:acquire()
  say("waits", n)
  local r = c:wait()
  say("notified", n, r)
  aio.sleep(0)
  say("leaves", n)
end

aio.run(function()
  local c = aio.Condition()
  local ts = {}
  for i = 0, 2 do ts[i + 1] = aio.create_task(w, c, i) end
  aio.sleep(0)
  aio.sleep(0)
  do
    local _ <close> = c:acquire()
    c:notify(2)
    say("notified two", c:locked())
    aio.sleep(0)
    say("still holding")
  end
  for i = 0, 7 do
    say("turn", i)
    aio.sleep(0)
  end
  do
    local _ <close> = c:acquire()
    c:notify(5)
  end
  aio.gather(ts)
  do
    local _ <close> = c:acquire()
    c:notify_all()
  end
  say("end", c:locked())
end)
