-- SPDX-License-Identifier: MIT
-- Memory fails while a certificate is refused.
local aio = require "aio"
local certs = dofile((arg[0]:gsub("[^/\\]*$", "../support/certs.lua")))

aio.run(function()
  aio.get_running_loop():set_exception_handler(function() end)
  local server <close> = aio.start_server(function() end, "127.0.0.1", 0,
    { ssl = aio.ssl_context { cert = certs.self, key = certs.self_key } })
  local ok, err = pcall(aio.open_connection, "127.0.0.1", server.port,
    { ssl = aio.ssl_context { ca = certs.ca }, server_hostname = "localhost" })
  assert(not ok)
  if not aio.is(err, aio.SSLCertVerificationError) then error(err, 0) end
end)
