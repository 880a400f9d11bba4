-- 210_event_wakes_all: set wakes all waiters in order; wait on a set event returns at once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, ev)
  say("wait", n)
  local r = ev:wait()
  say("woke", n, r)
end

aio.run(function()
  local ev = aio.Event()
  local ts = {}
  for n = 0, 2 do
    ts[#ts + 1] = aio.create_task(waiter, n, ev)
  end
  aio.sleep(0.01)
  say("set", ev:is_set())
  ev:set()
  say("set", ev:is_set())
  aio.gather(ts)
  waiter("late", ev)
end)
