-- 140_as_completed_order: results arrive in completion order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(name, delay)
  aio.sleep(delay)
  return name
end)

aio.run(function()
  for t in aio.as_completed { ok("c", 0.07), ok("a", 0.01), ok("b", 0.04) } do
    say(t:await())
  end
end)
