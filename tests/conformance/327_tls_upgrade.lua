-- 327_tls_upgrade: upgrading a plain connection to TLS
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local certs = dofile((arg[0]:gsub("[^/\\]*$", "../support/certs.lua")))

aio.run(function()
  local sctx = aio.ssl_context { cert = certs.self, key = certs.self_key }
  local cctx = aio.ssl_context { ca = certs.self }
  local function handle(conn)
    say("plain:", conn:read("l"))
    conn:write("go\n")
    conn:start_tls(sctx)
    conn:write("secure ", conn:readline())
    conn:close()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("starttls\n")
  say(conn:read("l"))
  conn:start_tls(cctx, { server_hostname = "localhost" })
  conn:write("hello\n")
  say(conn:read("l"))
  conn:close()
  srv:close()
end)
