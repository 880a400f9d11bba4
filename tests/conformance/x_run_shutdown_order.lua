-- x_run_shutdown_order: at the end of run leftover tasks go first, then open generators
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function cleanup(delay, ...)
  aio.sleep(delay)
  say(...)
end

local keep = aio.generator(function(yield)
  local _ <close> = aio.defer(cleanup, 0, "generator closed")
  yield(1)
end)

local function leftover(n)
  local _ <close> = aio.defer(cleanup, 0.001 * n, "leftover", n, "cleaned")
  aio.sleep(10)
end

say(aio.run(function()
  say(keep())
  aio.create_task(leftover, 1)
  aio.create_task(leftover, 2)
  aio.sleep(0)
  say("main ends")
  return "result"
end))
