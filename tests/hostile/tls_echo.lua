-- SPDX-License-Identifier: MIT
-- The echo server with TLS, for the hostile client: tls_echo.lua [port]

local aio = require "aio"
package.path = arg[0]:gsub("[^/]*$", "../fuzz/?.lua;") .. package.path
local identity = require "identity"

local function echo(conn)
  while true do
    local data = conn:read(65536)
    if not data then break end
    conn:write(data)
  end
end

aio.main(function(port)
  io.stdout:setvbuf("line")
  local server = aio.start_server(echo, "127.0.0.1", tonumber(port),
    { ssl = aio.ssl_context(identity), ssl_handshake_timeout = 2, ssl_shutdown_timeout = 2 })
  print("listening on 127.0.0.1:" .. server.port)
  server:serve_forever()
end, ...)
