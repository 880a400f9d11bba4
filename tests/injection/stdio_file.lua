-- SPDX-License-Identifier: MIT
-- Memory fails in streams over what is always ready, and over the standard three.
local aio = require "aio"

aio.run(function()
  local file <close> = assert(io.open("/dev/zero", "r+"))
  local stream <close> = aio.connect_pipe(file)
  assert(stream:readexactly(5) == ("\0"):rep(5))
  stream:write("gone")
  local ok, err = aio.catch(aio.OSError, aio.connect_pipe, 12345)
  assert(not ok and err.code == "EBADF")
  aio.stdout():write("\n")
end)
