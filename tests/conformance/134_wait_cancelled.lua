-- 134_wait_cancelled: cancelling wait leaves the tasks alone
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function fine()
  aio.sleep(0.04)
  return "fine"
end

aio.run(function()
  local t = aio.create_task(fine)
  local waiter = aio.create_task(aio.wait, { t })
  aio.sleep(0.01)
  waiter:cancel()
  aio.wait { waiter }
  say("waiter cancelled", waiter:cancelled(), "task cancelled", t:cancelled())
  say(t:await())
end)
