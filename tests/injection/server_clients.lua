-- SPDX-License-Identifier: MIT
-- Memory fails while a server with several clients is closed under them.
local aio = require "aio"

aio.run(function()
  local server = aio.start_server(function(conn) conn:read("a") end, "127.0.0.1", 0)
  local conns = {}
  for i = 1, 3 do conns[i] = aio.open_connection("127.0.0.1", server.port) end
  server:close()
  server:close_clients()
  for _, conn in ipairs(conns) do
    conn:close()
    conn:wait_closed()
  end
  server:wait_closed()
end)
