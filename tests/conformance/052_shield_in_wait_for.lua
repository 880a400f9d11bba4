-- 052_shield_in_wait_for: a timeout around a shield leaves the work running
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work()
  aio.sleep(0.04)
  say("work finished")
  return "late"
end

aio.run(function()
  local t = aio.create_task(work)
  if not aio.catch(aio.TimeoutError, aio.wait_for, aio.shield(t), 0.01) then
    say("timeout, work done", t:done())
  end
  say("then", t:await())
end)
