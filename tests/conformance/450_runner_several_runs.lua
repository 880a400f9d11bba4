-- 450_runner_several_runs: one runner, one loop, several runs
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function add(a, b)
  aio.sleep(0)
  return a + b
end

local r <close> = aio.Runner()
say(r:run(add, 1, 2))
say(r:run(add, 3, 4))
say("same loop", r:run(aio.get_running_loop) == r:get_loop())
