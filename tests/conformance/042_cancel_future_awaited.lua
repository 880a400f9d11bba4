-- 042_cancel_future_awaited: cancelling a task cancels the plain future it waits on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local f = aio.get_running_loop():create_future()
  local t = aio.create_task(aio.await, f)
  aio.sleep(0)
  t:cancel()
  aio.wait { t }
  say("future cancelled", f:cancelled(), "task cancelled", t:cancelled())
end)
