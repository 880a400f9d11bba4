-- SPDX-License-Identifier: MIT
-- Memory fails while handlers of signals come, run and go.
local aio = require "aio"

aio.run(function()
  local loop = aio.get_running_loop()
  local done = aio.Event()
  loop:add_signal_handler("SIGUSR1", print)
  loop:add_signal_handler("SIGUSR1", done.set, done)
  local n = 0
  loop:call_soon(aio.kill, aio.getpid(), "SIGUSR1")
  for sig in aio.signals("SIGUSR1", "SIGUSR2") do
    assert(sig:find "^SIGUSR")
    n = n + 1
    if n == 3 then break end
    aio.kill(aio.getpid(), n == 1 and "SIGUSR1" or "SIGUSR2")
  end
  done:wait()
  loop:remove_signal_handler "SIGUSR1"
end)
