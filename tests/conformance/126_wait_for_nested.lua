-- 126_wait_for_nested: nested wait_for: the shorter wins and is seen outside
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function inner()
  if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, aio.sleep, 10) then
    say("inner timeout")
  end
  aio.sleep(10)
end

aio.run(function()
  if not aio.catch(aio.TimeoutError, aio.wait_for, inner, 0.05) then
    say("outer timeout")
  end
end)
