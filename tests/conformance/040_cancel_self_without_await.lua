-- 040_cancel_self_without_await: a pending cancel wins over a normal return
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  aio.current_task():cancel()
  return "value"
end

aio.run(function()
  local t = aio.create_task(child)
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
