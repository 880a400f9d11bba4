-- x_publish_subscribe: each subscriber has a queue of its own; a slow one does not hold the rest
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local subs = {}
  local subscriber = aio.async(function(name, delay)
    local q = aio.Queue()
    subs[#subs + 1] = q
    local got = {}
    while true do
      local m = q:get()
      if not m then
        break
      end
      got[#got + 1] = m
      aio.sleep(delay)
    end
    say(name, got)
  end)
  local slow, fast = subscriber("slow", 0.02), subscriber("fast", 0)
  aio.sleep(0)
  for _, m in ipairs { "a", "b", "c", false } do
    for _, q in ipairs(subs) do
      q:put_nowait(m)
    end
  end
  aio.gather(slow, fast)
end)
