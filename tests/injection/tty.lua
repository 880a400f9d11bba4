-- SPDX-License-Identifier: MIT
-- Memory fails in streams over a terminal.
local aio = require "aio"

aio.run(function()
  local file <close> = assert(io.open("/dev/ptmx", "r+"))
  local tty <close> = aio.connect_pipe(file)
  assert(tty:isatty())
  tty:set_mode "raw"
  assert(tty:get_window_size() >= 0)
  tty:write("x")
  tty:set_mode "normal"
end)
