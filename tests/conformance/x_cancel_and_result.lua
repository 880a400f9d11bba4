-- x_cancel_and_result: a future completed and its waiter cancelled in one turn, both orders
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(f)
  local ok, r = aio.catch(aio.CancelledError, f.await, f)
  if not ok then
    say("cancelled", f:cancelled())
    error(r)
  end
  say("result", r)
  return r
end

aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  local t = aio.create_task(waiter, f)
  aio.sleep(0)
  f:set_result(1)
  t:cancel()
  aio.wait { t }
  say(t:cancelled(), f:done(), f:cancelled())
  f = loop:create_future()
  t = aio.create_task(waiter, f)
  aio.sleep(0)
  t:cancel()
  if not aio.catch(aio.InvalidStateError, f.set_result, f, 2) then say("too late") end
  aio.wait { t }
  say(t:cancelled(), f:cancelled())
end)
