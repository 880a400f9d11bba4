-- x_cleanup_error_replaces: an error raised in cleanup replaces the one that was unwinding
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function work()
  local _ <close> = aio.defer(function()
    aio.sleep(0)
    error(aio.RuntimeError("second"))
  end)
  error(ValueError("first"))
end

aio.run(function()
  local _, err = aio.catch(aio.RuntimeError, work)
  say("error:", err.message, "before it:", err.context.message)
end)
