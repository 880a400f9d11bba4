-- x_sleep_order: shorter sleeps end first, no sleep and a negative one give way for one turn
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local sleeper = aio.async(function(delay, n)
  aio.sleep(delay)
  say(n)
end)

aio.run(function()
  aio.gather(sleeper(0.03, "third"), sleeper(0.01, "first"), sleeper(0.02, "second"))
  local t = sleeper(-1, "negative")
  local u = sleeper(0, "zero")
  aio.sleep(0)
  say("turn one")
  aio.sleep(0)
  say("turn two")
  aio.gather(t, u)
end)
