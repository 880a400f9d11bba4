-- x_as_completed_errors: an error shows up in its turn, the others follow
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local child = aio.async(function(n, delay)
  aio.sleep(delay)
  if n == "bad" then
    error(ValueError("boom"))
  end
  return n
end)

aio.run(function()
  for t in aio.as_completed { child("c", 0.03), child("bad", 0.02), child("a", 0.01) } do
    local ok, v = aio.catch(ValueError, t.await, t)
    if ok then
      say(v)
    else
      say("error:", v.message)
    end
  end
end)
