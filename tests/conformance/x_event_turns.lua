-- x_event_turns: turns from set to the waiters; a task that clears at once; set twice
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(ev, n)
  while true do
    ev:wait()
    say("woken", n, ev:is_set())
    aio.sleep(0)
    if n == 1 then
      ev:clear()
      return
    end
  end
end

aio.run(function()
  local ev = aio.Event()
  local a = aio.create_task(w, ev, 1)
  local b = aio.create_task(w, ev, 2)
  aio.sleep(0)
  ev:set()
  ev:set()
  for i = 0, 3 do
    say("turn", i)
    aio.sleep(0)
  end
  say(a:done(), b:done(), ev:is_set())
  b:cancel()
  aio.wait_for(a, 1)
  ev:set()
  say(ev:wait(), (ev:wait()))
end)
