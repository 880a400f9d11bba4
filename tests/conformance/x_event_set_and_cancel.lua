-- x_event_set_and_cancel: an event set in the same turn as the cancel: the cancel wins
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(ev, n)
  local ok, e = aio.catch(aio.CancelledError, ev.wait, ev)
  if not ok then
    say(n, "cancelled")
    error(e)
  end
  say(n, "woken")
end

aio.run(function()
  local ev = aio.Event()
  local a = aio.create_task(waiter, ev, "a")
  local b = aio.create_task(waiter, ev, "b")
  aio.sleep(0)
  ev:set()
  a:cancel()
  aio.wait { a, b }
  say(a:cancelled(), b:cancelled())
  ev:clear()
  a = aio.create_task(waiter, ev, "a")
  aio.sleep(0)
  a:cancel()
  ev:set()
  aio.wait { a }
  say(a:cancelled())
end)
