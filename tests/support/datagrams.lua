-- SPDX-License-Identifier: MIT
-- What the tests of datagrams have in common.

local aio = require "aio"

local datagrams = {}

---@return boolean  is this a build with the sockets of Windows, without Unix datagram sockets?
function datagrams.over_uv()
  local ok, err = pcall(aio.run, aio.open_datagram, { remote_addr = "/nonexistent/socket" })
  return not ok and err.code == "ENOTSUP"
end

return datagrams
