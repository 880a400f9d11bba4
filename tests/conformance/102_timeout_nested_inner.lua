-- 102_timeout_nested_inner: the inner timeout fires alone
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local outer, inner = aio.timeout(5), nil
  outer:run(function()
    inner = aio.timeout(0.01)
    if not aio.catch(aio.TimeoutError, inner.run, inner, aio.sleep, 10) then
      say("inner timeout")
    end
    aio.sleep(0.01)
    say("outer goes on")
  end)
  say("expired", inner:expired(), outer:expired())
end)
