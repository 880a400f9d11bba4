-- x_timeout_other_cancel: a body that raises a cancel error of its own in a scope that has not
-- expired
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tm
  local _, e = aio.catch(aio.CancelledError, function()
    local scope <close> = aio.timeout(10)
    tm = scope
    error(aio.CancelledError("mine"))
  end)
  say("cancelled", { e.message }, tm:expired())
  local function inner()
    local _ <close> = aio.timeout(10)
    local f = aio.get_running_loop():create_future()
    f:cancel("future's")
    f:await()
  end
  local t = aio.create_task(inner)
  _, e = aio.catch(aio.CancelledError, t.await, t)
  say("cancelled", { e.message }, t:cancelled(), t:cancelling())
end)
