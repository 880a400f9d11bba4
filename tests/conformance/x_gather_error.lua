-- x_gather_error: the first error leaves gather at once, the siblings go on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local child = aio.async(function(n, delay, bad)
  aio.sleep(delay)
  if bad then
    error(ValueError(n))
  end
  say("finished", n)
end)

aio.run(function()
  local ok, err =
    aio.catch(ValueError, aio.gather, child("a", 0.06), child("b", 0.01, true), child("c", 0.09))
  if not ok then
    say("error:", err.message)
  end
  aio.sleep(0.12)
  local t = child("twice", 0.001)
  say(aio.gather({ t, t }).n)
  say(select("#", aio.gather()))
end)
