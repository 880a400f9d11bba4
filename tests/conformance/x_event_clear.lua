-- x_event_clear: set followed by clear wakes those who waited, later ones wait again
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local ev = aio.Event()
  local waiter = aio.async(function(n)
    ev:wait()
    say("woke", n, "set", ev:is_set())
  end)
  local a = waiter("a")
  local b = waiter("b")
  aio.sleep(0)
  ev:set()
  ev:clear()
  local c = waiter("c")
  aio.gather(a, b)
  if not aio.catch(aio.TimeoutError, aio.wait_for, aio.shield(c), 0.01) then
    say("c still waits")
  end
  ev:set()
  ev:set()
  c:await()
end)
