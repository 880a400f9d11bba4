-- x_agen_consumer_gone: cancelling a consumer between items leaves the generator open
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function consume(g)
  for x in g do
    say("item", x)
    aio.sleep(10)
  end
end

aio.run(function()
  local g = aio.generator(function(yield)
    local _ <close> = aio.defer(say, "generator closed")
    for i = 0, 9 do yield(i) end
  end)
  local t = aio.create_task(consume, g)
  aio.sleep(0.001)
  t:cancel()
  aio.wait { t }
  say("consumer gone", t:cancelled())
  say(g())
  g:close()
end)
