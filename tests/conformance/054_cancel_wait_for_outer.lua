-- 054_cancel_wait_for_outer: cancelling a wait_for cancels the inner work
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function inner()
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say("inner cancelled")
    error(err)
  end
end

local function outer()
  local ok, err = aio.catch(aio.CancelledError, aio.wait_for, inner, 5)
  if not ok then
    say("outer cancelled, not timeout")
    error(err)
  end
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("flag", t:cancelled())
end)
