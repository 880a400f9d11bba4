-- Ends TLS in front of plain servers: each name has its certificate and its backend.
--   tls_proxy.lua port NAME=CERT.pem=HOST:PORT...
-- CERT.pem holds the certificate, who vouches for it, and the key. A client that asks for no name,
-- or for one that is not there, gets the first.
local aio = require "aio"

local function parse(words)
  local sites = {}
  for i, word in ipairs(words) do
    local name, pem, host, port = word:match("^([^=]+)=([^=]+)=%[?([^=%]]+)%]?:(%d+)$")
    if not name then
      error(("NAME=CERT.pem=HOST:PORT expected, got '%s'"):format(word), 0)
    end
    sites[i] = { name = name, pem = pem, host = host, port = tonumber(port) }
  end
  if #sites == 0 then error("usage: tls_proxy.lua port NAME=CERT.pem=HOST:PORT...", 0) end
  return sites
end

-- The end of one direction: passed on where that can be, else it ends the connection.
local function copy(from, to)
  for part in from:lines(65536) do to:write(part) end
  if to:can_write_eof() then to:write_eof() else to:close() end
end

local function copy_both(conn, backend)
  local group <close> = aio.TaskGroup() -- an error in one direction ends the other
  group:create_task(copy, conn, backend)
  group:create_task(copy, backend, conn)
end

local function serve(conn, site)
  local backend <close> = aio.open_connection(site.host, site.port, { timeout = 10 })
  local ok, err = pcall(copy_both, conn, backend)
  if ok then return end
  backend:abort() -- close would send the rest, and the backend may wait for us to read
  error(err, 0)
end

aio.main(function(port, ...)
  io.stdout:setvbuf("line")
  local sites = parse { ... }
  local by_name, by_context = {}, {}
  for i, site in ipairs(sites) do
    local ctx = aio.ssl_context {
      cert = site.pem,
      sni = i == 1 and function(name) -- nil: this context
        return by_name[name and name:lower()]
      end or nil,
    }
    by_name[site.name:lower()] = ctx
    by_context[ctx] = site
  end
  local front = by_name[sites[1].name:lower()]

  local server = aio.start_server(function(conn)
    local site = by_context[conn:get_extra_info("sslcontext")]
    local who = conn:get_extra_info("peername")
    local ok, err = aio.catch(aio.Error, serve, conn, site)
    if ok then return end
    if aio.is(err, aio.ExceptionGroup) then err = err.errors[1] end
    print(("%s: %s:%d: %s"):format(site.name, who.host, who.port, err.message))
  end, "127.0.0.1", tonumber(port or 8443), { ssl = front, ssl_handshake_timeout = 10 })
  aio.get_running_loop():set_exception_handler(function(_, context)
    print(context.exception and context.exception.message or context.message) -- a bad handshake
  end)
  print("listening on 127.0.0.1:" .. server.port)
  server:serve_forever()
end, ...)
