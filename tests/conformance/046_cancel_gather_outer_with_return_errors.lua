-- 046_cancel_gather_outer_with_return_errors: outer cancel propagates even when errors are returned
-- as results
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local child = aio.async(function(n)
  local _ <close> = aio.defer(say, "child", n, "unwound")
  aio.sleep(10)
end)

local function outer()
  aio.gather({ child(1), child(2) }, { return_exceptions = true })
  say("not printed")
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel()
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("outer cancelled")
  end
end)
