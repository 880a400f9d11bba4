-- 003_sleep_zero_round_robin: sleep(0) yields exactly one loop turn
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local worker = aio.async(function(name)
  for i = 0, 2 do
    say(name, i)
    aio.sleep(0)
  end
  say(name, "end")
end)

aio.run(function()
  aio.gather(worker("a"), worker("b"), worker("c"))
end)
