-- x_exit_from_callback: SystemExit raised in a callback leaves run, main is cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function leave()
  say("leaving")
  error(aio.SystemExit(4))
end

local ok, err = aio.catch(aio.SystemExit, aio.run, function()
  aio.get_running_loop():call_soon(leave)
  local slept, cancelled = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not slept then
    say("main cancelled")
    error(cancelled, 0)
  end
end)
if not ok then
  say("exit", err.code)
end
