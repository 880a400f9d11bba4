-- x_wait_for_times_out: wait_for waits for the cleanup of the work, then raises
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work()
  local _ <close> = aio.defer(function()
    aio.sleep(0.01)
    say("work unwound")
  end)
  aio.sleep(10)
end

aio.run(function()
  if not aio.catch(aio.TimeoutError, aio.wait_for, work, 0.01) then
    say("timeout")
  end
  local t = aio.create_task(work)
  if not aio.catch(aio.TimeoutError, aio.wait_for, t, 0.01) then
    say("timeout, task cancelled", t:cancelled())
  end
end)
