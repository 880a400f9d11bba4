-- x_callback_turns: a callback scheduled by a callback runs on the next turn
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local function step(n)
    say("step", n)
    if n < 3 then
      loop:call_soon(step, n + 1)
    end
  end
  loop:call_soon(step, 0)
  for n = 0, 3 do
    aio.sleep(0)
    say("turn", n)
  end
end)
