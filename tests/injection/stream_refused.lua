-- SPDX-License-Identifier: MIT
-- Memory fails in a connect that is refused, and in making the error.
local aio = require "aio"

aio.run(function()
  local server = aio.start_server(function() end, "127.0.0.1", 0)
  local port = server.port
  server:close()
  server:wait_closed()
  local ok, err = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
  assert(not ok and err.code == "ECONNREFUSED")
end)
