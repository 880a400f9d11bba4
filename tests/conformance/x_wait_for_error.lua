-- x_wait_for_error: a timeout waits for the cleanup of the work; its error is what is seen
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function slow()
  local _ <close> = aio.defer(function()
    aio.sleep(0.01)
    say("cleaned")
  end)
  aio.sleep(10)
end

local function failing()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    error(ValueError("in cleanup"))
  end
end

local function short()
  return aio.sleep(0, "none")
end

aio.run(function()
  if not aio.catch(aio.TimeoutError, aio.wait_for, slow, 0.01) then
    say("timeout after the cleanup")
  end
  local ok, err = aio.catch(ValueError, aio.wait_for, failing, 0.01)
  if not ok then
    say("error:", err.message)
  end
  say(aio.wait_for(short, nil))
end)
