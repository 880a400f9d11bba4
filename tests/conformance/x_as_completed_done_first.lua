-- x_as_completed_done_first: finished tasks come first, in the order given
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(name, delay)
  aio.sleep(delay)
  return name
end)

aio.run(function()
  local a, b = ok("a", 0), ok("b", 0)
  aio.wait { a, b }
  local c = ok("c", 0.01)
  local names = {}
  for t in aio.as_completed { c, a, b } do
    table.insert(names, t:await())
  end
  say({ names[1], names[2] }, names[3])
end)
