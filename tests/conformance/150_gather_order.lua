-- 150_gather_order: results keep argument order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(n, delay)
  aio.sleep(delay)
  say("end", n)
  return n
end)

aio.run(function()
  say(aio.gather { ok(1, 0.05), ok(2, 0.01), ok(3, 0.03) })
  say(aio.gather {})
end)
