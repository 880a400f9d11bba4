-- x_group_base_error: an exit raised by a child leaves the group unwrapped after the siblings have
-- ended
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local Stop = aio.BaseError:extend("Stop")
local function sib()
  local _ <close> = aio.defer(say, "sibling out")
  aio.sleep(10)
end

local function stop()
  aio.sleep(0)
  error(Stop("stop"))
end

aio.run(function()
  local _, eg = aio.catch(aio.BaseExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(sib)
    tg:create_task(stop)
  end)
  say(eg.name, aio.is(eg, aio.Error), { eg.errors[1].name })
end)
