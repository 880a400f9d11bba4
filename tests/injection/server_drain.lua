-- SPDX-License-Identifier: MIT
-- Memory fails while a server that closes takes in who has connected: each is served or thrown out.
local aio = require "aio"

aio.run(function()
  local server = aio.start_server(function(conn) conn:write(conn:readline()) end, "127.0.0.1", 0,
    { start_serving = false })
  local conns = {}
  for i = 1, 3 do
    conns[i] = aio.open_connection("127.0.0.1", server.port)
    conns[i]:write(i, "\n")
  end
  server:start_serving()
  server:close()
  for _, conn in ipairs(conns) do
    pcall(conn.readline, conn)
    conn:close()
  end
  server:wait_closed()
end)
