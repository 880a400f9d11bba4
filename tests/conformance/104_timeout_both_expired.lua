-- 104_timeout_both_expired: both deadlines pass during slow cleanup: the outer one wins
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function slow_cleanup()
  local _ <close> = aio.defer(function()
    local ok, err = aio.catch(aio.CancelledError, aio.sleep, 0.05)
    if not ok then
      say("cleanup interrupted")
      error(err)
    end
  end)
  aio.sleep(10)
end

aio.run(function()
  local outer, inner = aio.timeout(0.03), nil
  local ok = aio.catch(aio.TimeoutError, outer.run, outer, function()
    inner = aio.timeout(0.01)
    local classes = { aio.TimeoutError, aio.CancelledError }
    local _, err = aio.catch(classes, inner.run, inner, slow_cleanup)
    if aio.is(err, aio.TimeoutError) then
      say("inner timeout")
      aio.sleep(10)
    else
      say("inner cancelled by outer")
      error(err)
    end
  end)
  if not ok then
    say("outer timeout")
  end
  say("expired", inner:expired(), outer:expired())
end)
