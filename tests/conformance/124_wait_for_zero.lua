-- 124_wait_for_zero: zero timeout: finished work is returned, unfinished is cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick()
  return 1
end

local function slow()
  local _ <close> = aio.defer(say, "slow unwound")
  aio.sleep(10)
end

aio.run(function()
  local t = aio.create_task(quick)
  t:await()
  say("result", aio.wait_for(t, 0))
  local s = aio.create_task(slow)
  aio.sleep(0)
  if not aio.catch(aio.TimeoutError, aio.wait_for, s, 0) then
    say("timeout, cancelled", s:cancelled())
  end
end)
