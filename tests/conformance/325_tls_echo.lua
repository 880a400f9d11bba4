-- 325_tls_echo: TLS client and server with a private certificate
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local certs = dofile((arg[0]:gsub("[^/\\]*$", "../support/certs.lua")))

local function handle(conn)
  conn:write("secret ", conn:readline())
  conn:close()
end

aio.run(function()
  local sctx = aio.ssl_context { cert = certs.self, key = certs.self_key }
  local cctx = aio.ssl_context { ca = certs.self }
  local srv = aio.start_server(handle, "127.0.0.1", 0, { ssl = sctx })
  local conn = aio.open_connection("127.0.0.1", srv.port,
    { ssl = cctx, server_hostname = "localhost" })
  conn:write("hello\n")
  say(conn:read("l"))
  say("encrypted", conn:get_extra_info("cipher") ~= nil, "half close", conn:can_write_eof())
  conn:close()
  srv:close()
end)
