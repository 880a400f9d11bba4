-- 212_event_cancel_waiter: a cancelled waiter does not disturb the others
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, ev)
  if aio.catch(aio.CancelledError, ev.wait, ev) then
    say("woke", n)
  else
    say("cancelled", n)
  end
end

aio.run(function()
  local ev = aio.Event()
  local ts = {}
  for n = 0, 2 do
    ts[#ts + 1] = aio.create_task(waiter, n, ev)
  end
  aio.sleep(0)
  ts[2]:cancel()
  aio.sleep(0)
  ev:set()
  aio.gather(ts)
end)
