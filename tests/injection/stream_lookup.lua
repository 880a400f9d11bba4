-- SPDX-License-Identifier: MIT
-- Memory fails around a look-up in the thread pool.
local aio = require "aio"

aio.run(function()
  local server <close> = aio.start_server(function(conn) conn:write("x") end, "localhost", 0)
  local conn <close> = aio.open_connection("localhost", server.port)
  assert(conn:read(1) == "x")
  assert(#aio.getaddrinfo("localhost", server.port) > 0)
end)
