-- SPDX-License-Identifier: MIT
-- Memory fails in a handshake, an echo and the end of TLS.
local aio = require "aio"
local certs = dofile((arg[0]:gsub("[^/\\]*$", "../support/certs.lua")))

aio.run(function()
  local server <close> = aio.start_server(function(conn)
    conn:write(conn:readline())
  end, "127.0.0.1", 0, { ssl = aio.ssl_context { cert = certs.server, key = certs.server_key } })
  local conn <close> = aio.open_connection("127.0.0.1", server.port,
    { ssl = aio.ssl_context { ca = certs.ca }, server_hostname = "localhost" })
  conn:write("hello\n")
  assert(conn:readline() == "hello\n")
end)
