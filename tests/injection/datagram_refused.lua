-- SPDX-License-Identifier: MIT
-- Memory fails around a refused datagram, and an address that cannot be had.
local aio = require "aio"

aio.run(function()
  local gone = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
  local at = gone:get_extra_info "sockname"
  gone:close()
  local d <close> = aio.open_datagram { remote_addr = at }
  d:send("x")
  local ok, err = aio.catch(aio.OSError, d.recv, d)
  assert(not ok and err.code == "ECONNREFUSED")
  ok, err = aio.catch(aio.OSError, aio.open_datagram, { local_addr = { "192.0.2.77", 0 } })
  assert(not ok and err.code == "EADDRNOTAVAIL")
end)
