-- HTTPS by hand: fetches a page over TLS and shows what was agreed on.
--   lua5.4 examples/https_fetch.lua [host [path [port]]]
-- Without a host it fetches from a server of its own, whose certificate it makes with the openssl
-- command and trusts.

local aio = require "aio"

local function fetch(host, path, port, opts)
  opts.timeout = 10
  local conn <close> = aio.open_connection(host, port, opts)
  conn:write("GET ", path, " HTTP/1.0\r\nHost: ", opts.server_hostname or host, "\r\n\r\n")
  print(conn:get_extra_info("version"), conn:get_extra_info("peercert").subject.commonName)
  print((conn:read("l"):gsub("\r$", "")))
  for line in conn:lines() do
    if line == "\r" or line == "" then break end
  end
  io.write(conn:read("a"))
end

-- A certificate for localhost and its key, in one text.
local function make_certificate()
  local pipe = assert(io.popen("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
    .. "-nodes -keyout - -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null"))
  local text = pipe:read("a")
  assert(pipe:close(), "no certificate from the openssl command")
  return text
end

local function serve(conn)
  for line in conn:lines() do
    if line == "\r" then break end
  end
  conn:write("HTTP/1.0 200 OK\r\n\r\nhello over TLS\n")
end

aio.main(function(host, path, port)
  if host then return fetch(host, path or "/", port or 443, { ssl = true }) end
  local pem = make_certificate()
  local server <close> = aio.start_server(serve, "127.0.0.1", 0,
    { ssl = aio.ssl_context { cert = pem } })
  fetch("127.0.0.1", "/", server.port,
    { ssl = aio.ssl_context { ca = pem }, server_hostname = "localhost" })
end, ...)

-- prints:
-- TLSv1.3	localhost
-- HTTP/1.0 200 OK
-- hello over TLS
