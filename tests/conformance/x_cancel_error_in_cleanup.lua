-- x_cancel_error_in_cleanup: an error raised while a cancel unwinds makes the task failed, not
-- cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function child()
  local _ <close> = aio.defer(function()
    error(ValueError("cleanup failed"))
  end)
  aio.sleep(10)
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled(), "error:", t:exception().message)
end)
