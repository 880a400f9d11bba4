-- 422_signal_interrupt_run: an interrupt cancels main, cleanup runs, run reports the interrupt
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

-- Not os.execute: system() ignores SIGINT in the parent while the child runs.
local function interrupt_self()
  io.popen("kill -INT $PPID"):close()
end

local ok = aio.catch(aio.KeyboardInterrupt, aio.run, function()
  aio.get_running_loop():call_later(0.02, interrupt_self)
  local slept, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not slept then
    say("main cancelled")
    aio.sleep(0.01)
    say("main cleaned")
    error(err, 0)
  end
end)
if not ok then
  say("interrupted")
end
