-- 154_gather_nested: nested gathers and nested cancellation
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(n)
  aio.sleep(0.01)
  return n
end)

local leaf = aio.async(function(n)
  local _ <close> = aio.defer(say, "leaf", n, "unwound")
  aio.sleep(10)
end)

aio.run(function()
  say(aio.gather { aio.gather_future { ok(1), ok(2) }, ok(3) })
  local g = aio.gather_future { aio.gather_future { leaf(1), leaf(2) }, leaf(3) }
  aio.sleep(0.01)
  g:cancel()
  if not aio.catch(aio.CancelledError, g.await, g) then
    say("cancelled")
  end
end)
