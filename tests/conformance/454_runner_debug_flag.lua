-- 454_runner_debug_flag: debug flag and custom loop factory
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local made = {}

local function factory()
  made[#made + 1] = aio.new_event_loop()
  return made[#made]
end

do
  local r <close> = aio.Runner { debug = true, loop_factory = factory }
  r:run(function()
    local loop = aio.get_running_loop()
    say("debug", loop:get_debug(), "custom", loop == made[1])
  end)
end
say("closed", made[1]:is_closed())
