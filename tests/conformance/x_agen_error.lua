-- x_agen_error: an error in a generator reaches the loop over it, then the generator has ended
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function gen(yield)
  local _ <close> = aio.defer(say, "cleanup")
  yield(1)
  aio.sleep(0)
  error(ValueError("boom"))
end

local function each(g)
  for n in g do
    say(n)
  end
end

aio.run(function()
  local g = aio.generator(gen)
  local ok, err = aio.catch(ValueError, each, g)
  if not ok then
    say("error:", err.message)
  end
  each(g)
  say("end")
end)
