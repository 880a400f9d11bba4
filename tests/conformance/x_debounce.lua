-- x_debounce: a timer that is set again at each event fires once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local fired = aio.Event()
  local timer
  local function fire(n)
    say("fired for", n)
    fired:set()
  end
  for n = 0, 3 do
    if timer then
      timer:cancel()
    end
    timer = loop:call_later(0.15, fire, n)
    aio.sleep(0.002)
  end
  fired:wait()
  say("old handle cancelled", timer:cancelled())
end)
