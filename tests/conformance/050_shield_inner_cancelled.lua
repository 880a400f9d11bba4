-- 050_shield_inner_cancelled: cancelling the inner task of a shield reaches the waiter
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local inner = aio.create_task(aio.sleep, 10)
  local s = aio.shield(inner)
  aio.sleep(0)
  inner:cancel()
  if not aio.catch(aio.CancelledError, s.await, s) then
    say("cancelled; own requests", aio.current_task():cancelling())
  end
  say("shield cancelled", s:cancelled())
end)
