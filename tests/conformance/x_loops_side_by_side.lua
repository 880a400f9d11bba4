-- x_loops_side_by_side: two loops one after the other, a future of another loop is refused
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local a <close> = aio.new_event_loop()
local b <close> = aio.new_event_loop()
local function f()
  return { aio.get_running_loop() == a, aio.get_running_loop() == b }
end
say(a:run_until_complete(f), b:run_until_complete(f))
local fut = a:create_future()
b:run_until_complete(function()
  if not aio.catch(aio.RuntimeError, fut.await, fut) then say("other loop") end
end)
b:run_until_complete(function()
  if not aio.catch(aio.RuntimeError, a.run_until_complete, a, f) then say("cannot run here") end
end)
a:close()
say(a:is_closed(), b:is_closed())
b:close()
