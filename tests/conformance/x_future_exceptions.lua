-- x_future_exceptions: what set_exception takes; exception classes; raised to each waiter the same
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  f:set_exception(aio.TimeoutError())
  local _, e = aio.catch(aio.TimeoutError, f.await, f)
  say("timeout", e.message == nil or e.message == "")
  f = loop:create_future()
  local function w(n)
    local _, x = aio.catch(ValueError, f.await, f)
    say(n, x.message)
  end
  local ts = { aio.create_task(w, 0), aio.create_task(w, 1) }
  aio.sleep(0)
  f:set_exception(ValueError("shared"))
  aio.gather(ts)
  f = loop:create_future()
  f:set_exception(aio.CancelledError("odd"))
  say(f:cancelled(), f:done())
  if not aio.catch(aio.CancelledError, f.await, f) then say("raised cancelled") end
end)
