-- 058_cancel_batched_requests: two cancel calls before the task runs give one delivery
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local n = 0
  for _ = 1, 2 do
    if aio.catch(aio.CancelledError, aio.sleep, 0.02) then
      say("slept")
    else
      n = n + 1
      say("cancel delivered")
    end
  end
  return n
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel()
  t:cancel()
  say("requests", t:cancelling())
  say("deliveries", t:await())
end)
