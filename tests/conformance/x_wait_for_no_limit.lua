-- x_wait_for_no_limit: wait_for without a limit, on tasks, futures and plain work
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function work(n)
  aio.sleep(0)
  return n
end

local function bad() error(ValueError("bad")) end

aio.run(function()
  local loop = aio.get_running_loop()
  say(aio.wait_for(function() return work(1) end, nil))
  say(aio.wait_for(aio.create_task(work, 2), nil))
  local f = loop:create_future()
  loop:call_soon(f.set_result, f, 3)
  say(aio.wait_for(f, nil))
  local _, e = aio.catch(ValueError, aio.wait_for, bad, nil)
  say(e.message)
  local t = aio.create_task(work, 4)
  t:await()
  say(aio.wait_for(t, 0), aio.wait_for(t, -1))
  f = loop:create_future()
  f:cancel()
  if not aio.catch(aio.CancelledError, aio.wait_for, f, 1) then
    say("cancelled", aio.current_task():cancelling())
  end
end)
