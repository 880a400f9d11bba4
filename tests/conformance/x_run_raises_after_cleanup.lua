-- x_run_raises_after_cleanup: the error of main leaves run after the leftovers have ended
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function background()
  local _ <close> = aio.defer(function()
    aio.sleep(0.01)
    say("background unwound")
  end)
  aio.sleep(10)
end

local function failing()
  aio.create_task(background)
  aio.sleep(0)
  error(ValueError("boom"))
end

local _, err = aio.catch(ValueError, aio.run, failing)
say("run raised", err.message)
say(aio.run(function()
  return "value", 2
end))
