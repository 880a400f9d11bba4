-- x_agen_close: leaving a loop early leaves the generator open; closing runs its cleanup
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function gen(yield)
  local _ <close> = aio.defer(function()
    aio.sleep(0)
    say("cleanup")
  end)
  for n = 0, 9 do
    yield(n)
  end
end

aio.run(function()
  local g = aio.generator(gen)
  for n in g do
    say(n)
    if n == 1 then
      break
    end
  end
  say("left the loop")
  for n in g do
    say(n)
    if n == 3 then
      break
    end
  end
  g:close()
  say("closed")
  for n in g do
    say("never", n)
  end
  g:close()
  say("end")
end)
