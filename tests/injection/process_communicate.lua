-- SPDX-License-Identifier: MIT
-- Memory fails while a process is started, fed and read.
local aio = require "aio"

aio.run(function()
  local p <close> = aio.create_subprocess_exec("cat",
    { stdin = aio.PIPE, stdout = aio.PIPE, stderr = aio.PIPE, extra_env = { A = "b" } })
  local out = p:communicate(("x"):rep(20000))
  assert(#out == 20000 and p.returncode == 0)
end)
