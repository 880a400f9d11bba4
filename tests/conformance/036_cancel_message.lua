-- 036_cancel_message: the cancel message travels with the cancellation
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say("message:", err.message)
    error(err)
  end
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel("shutting down")
  local _, err = aio.catch(aio.CancelledError, t.await, t)
  say("outer message:", err.message)
end)
