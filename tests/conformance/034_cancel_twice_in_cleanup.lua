-- 034_cancel_twice_in_cleanup: a second cancel interrupts the cleanup of the first
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("first cancel")
    local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
    if not ok then
      say("second cancel")
      error(err)
    end
  end
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel()
  aio.sleep(0.01)
  t:cancel()
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("cancelled, requests", t:cancelling())
  end
end)
