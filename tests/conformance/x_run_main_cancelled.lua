-- x_run_main_cancelled: a main that cancels itself makes run raise
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function cancelled()
  aio.current_task():cancel()
  aio.sleep(10)
  say("not printed")
end

if not aio.catch(aio.CancelledError, aio.run, cancelled) then
  say("run raised cancelled")
end
aio.run(say, "second run")
