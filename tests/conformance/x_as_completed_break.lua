-- x_as_completed_break: leaving the loop early leaves the others running
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(name, delay)
  aio.sleep(delay)
  say("finished", name)
  return name
end)

aio.run(function()
  local a, b = ok("a", 0.03), ok("b", 0.01)
  for t in aio.as_completed { a, b } do
    say("first", t:await())
    if t == b then
      break
    end
  end
  say("a done", a:done(), "cancelled", a:cancelled())
  say(a:await())
end)
