-- 420_signal_handler: a signal handler runs in the loop
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local ev = aio.Event()
  local function on(name)
    say("signal", name)
    ev:set()
  end
  loop:add_signal_handler("SIGUSR1", on, "usr1")
  aio.kill(aio.getpid(), "SIGUSR1")
  ev:wait()
  say("removed", loop:remove_signal_handler("SIGUSR1"))
  say("removed again", loop:remove_signal_handler("SIGUSR1"))
end)
