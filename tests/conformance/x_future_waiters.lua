-- x_future_waiters: several tasks wait for one future; one of them cancelled cancels the future
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(n, f)
  local ok, v = aio.catch(aio.CancelledError, f.await, f)
  if ok then
    say(n, "got", v)
  else
    say(n, "cancelled")
  end
end

local function start(f)
  local ts = {}
  for n in ("abc"):gmatch(".") do
    ts[#ts + 1] = aio.create_task(waiter, n, f)
  end
  aio.sleep(0)
  return ts
end

aio.run(function()
  local f = aio.Future()
  local ts = start(f)
  f:set_result("value")
  aio.gather(ts)
  f = aio.Future()
  ts = start(f)
  ts[2]:cancel()
  aio.gather(ts)
  say("future cancelled", f:cancelled())
end)
