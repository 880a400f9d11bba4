-- x_exit_from_task: SystemExit raised in any task leaves run, cleanup of the others runs
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function other()
  local _ <close> = aio.defer(say, "other cleaned")
  aio.sleep(10)
end

local function bad()
  aio.sleep(0.01)
  error(aio.SystemExit(3))
end

local ok, err = aio.catch(aio.SystemExit, aio.run, function()
  aio.create_task(other)
  aio.create_task(bad)
  local _ <close> = aio.defer(say, "main cleaned")
  aio.sleep(10)
end)
if not ok then
  say("exit", err.code)
end
