-- x_cancel_without_message: a cancel without a message, and two with different ones
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
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled(), "requests", t:cancelling())

  local u = aio.create_task(child)
  aio.sleep(0)
  u:cancel("first")
  u:cancel("second")
  aio.wait { u }
  say("cancelled", u:cancelled(), "requests", u:cancelling())
end)
