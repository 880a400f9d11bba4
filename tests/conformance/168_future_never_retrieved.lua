-- 168_future_never_retrieved: the same rule for plain futures
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function handler(_, ctx)
  say("handler: future error never retrieved:", ctx.exception.message)
end

local function lose(settle, ...)
  local f = aio.get_running_loop():create_future()
  f[settle](f, ...)
end

aio.run(function()
  aio.get_running_loop():set_exception_handler(handler)
  lose("set_exception", ValueError("boom"))
  collectgarbage()
  aio.sleep(0)
  lose("cancel")
  collectgarbage()
  aio.sleep(0)
  say("end")
end)
