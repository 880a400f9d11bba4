-- x_agen_timeout: a deadline passes while the generator waits: it unwinds and has ended
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local g = aio.generator(function(yield)
    local _ <close> = aio.defer(say, "gen cleanup")
    yield(1)
    aio.sleep(10)
    yield(2)
  end)
  local ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout(0.005)
    for x in g do say(x) end
  end)
  if not ok then say("timeout") end
  if g() == nil then say("ended") end
end)
