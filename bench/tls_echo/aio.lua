-- TLS echo on PORT with the certificate and key in PEM, a task for each connection
local bench, aio = require "bench", require "aio"
local function serve(conn)
  while true do
    local data = conn:read(65536)
    if not data then break end
    conn:write(data)
  end
end
aio.run(function()
  local server = aio.start_server(function(conn)
    aio.catch(aio.OSError, serve, conn) -- a client that goes away is no error here
  end, "127.0.0.1", bench.arg(1, 7000), { backlog = 4096,
    ssl = aio.ssl_context { cert = os.getenv "TLS_PEM" } })
  -- a client that gives up in the handshake is no news either
  aio.get_running_loop():set_exception_handler(function() end)
  server:serve_forever()
end)
