-- x_wait_for_cancelled_in_cleanup: a cancel that arrives while wait_for waits for the cleanup is
-- not lost
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work()
  local _ <close> = aio.defer(function()
    aio.sleep(0.05)
    say("work unwound")
  end)
  aio.sleep(10)
end

local function waiter(t)
  if not aio.catch(aio.TimeoutError, aio.wait_for, t, 0) then
    say("not printed")
  end
end

aio.run(function()
  local t = aio.create_task(work)
  aio.sleep(0)
  local w = aio.create_task(waiter, t)
  aio.sleep(0.01)
  w:cancel()
  aio.wait { w }
  say("waiter cancelled", w:cancelled(), "work requests", t:cancelling())
  aio.wait { t }
  say("work cancelled", t:cancelled())
end)
