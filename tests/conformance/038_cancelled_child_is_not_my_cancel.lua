-- 038_cancelled_child_is_not_my_cancel: awaiting a cancelled task raises, but the waiter itself is
-- not being cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local t = aio.create_task(aio.sleep, 10)
  aio.sleep(0)
  t:cancel()
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("child cancelled; own requests", aio.current_task():cancelling())
  end
  aio.sleep(0.01)
  say("main goes on")
end)
