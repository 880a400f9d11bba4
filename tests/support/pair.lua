-- SPDX-License-Identifier: MIT
-- A server and one client over loopback, for programs that look at a single stream operation.

local aio = require "aio"

---Runs a loop in which `serve(conn)` handles the one connection that `talk(conn)` uses.
---@param serve fun(conn: table)
---@param talk fun(conn: table)
return function(serve, talk)
  aio.run(function()
    local server <close> = aio.start_server(serve, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    talk(conn)
  end)
end
