-- x_agen_two_consumers: a second task that asks a running generator is refused
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function take(g, n)
  local ok, x = aio.catch(aio.RuntimeError, g)
  if ok then say(n, x) else say(n, "refused") end
end

aio.run(function()
  local g = aio.generator(function(yield)
    for i = 0, 2 do
      aio.sleep(0.002)
      yield(i)
    end
  end)
  local take_ = aio.async(take)
  aio.gather(take_(g, "a"), take_(g, "b"))
  say(g())
end)
