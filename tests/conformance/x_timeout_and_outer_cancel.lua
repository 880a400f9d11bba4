-- x_timeout_and_outer_cancel: a cancel from outside wins over a deadline that has passed
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function slow_to_die()
  local _ <close> = aio.defer(function()
    say("cancelled inside")
    local _ <close> = aio.defer(say, "cancelled again")
    aio.sleep(10)
  end)
  aio.sleep(10)
end

local function work()
  local classes = { aio.TimeoutError, aio.CancelledError }
  local _, err = aio.catch(classes, aio.timeout, 0.01, slow_to_die)
  if aio.is(err, aio.TimeoutError) then
    say("timeout")
  else
    say("cancelled outside")
    error(err)
  end
end

aio.run(function()
  local t = aio.create_task(work)
  aio.sleep(0.03)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
