-- SPDX-License-Identifier: MIT
--
-- Making a connection to a place: the look-up, TCP or a Unix socket, TLS to a proxy, the tunnel
-- through it, TLS to the server. What fails says at which of these, by its class.

local core = require "aio.core"
local address = require "aio.address"
local errors = require "aio.http.errors"
local proxy = require "aio.http.proxy"
local streams = require "aio.stream"

local M = {}

local SHUTDOWN_SECONDS = 1 -- for the end of TLS; nobody waits for an idle connection

local TCP = setmetatable({ resolve = true }, { __index = streams.TCP_OPTIONS })

-- What came from the system or from TLS becomes a ClientError; anything else goes on as it is.
local function rethrow(err, place, class, to)
  if not core.is(err, core.OSError) then error(err, 0) end
  local message = err.message
  if not message:find "^cannot connect to" then
    message = ("cannot connect to %s: %s"):format(
      place.unix_path or address.format { to.host, to.port }, message)
  end
  if to == place.proxy then message = message:gsub("^cannot connect to ", "%0the proxy ", 1) end
  error(errors.from_os(class or errors.connector_class(err), message, err,
    { host = to.host, port = to.port, ssl = to.ssl ~= nil }), 0)
end

local function tcp_plan(host, port, ssl, name, settings, trace)
  return streams.plan_tcp(host, port, {
    ssl = ssl, server_hostname = ssl and name or nil,
    ssl_shutdown_timeout = ssl and SHUTDOWN_SECONDS or nil,
    local_addr = settings.local_addr, family = settings.family, interleave = settings.interleave,
    happy_eyeballs_delay = settings.happy_eyeballs_delay,
    resolve = function(h, p, family) return settings.dns:resolve(h, p, family, trace) end,
  }, TCP, 1, "request")
end

local function first_hop(place, settings, trace)
  if place.unix_path then
    return streams.connect(streams.plan_unix(place.unix_path, {
      ssl = place.ssl, server_hostname = place.ssl and (place.server_hostname or place.host) or nil,
      ssl_shutdown_timeout = place.ssl and SHUTDOWN_SECONDS or nil,
    }, streams.UNIX_OPTIONS, 1, "request"))
  end
  local via = place.proxy
  local to = via or place
  return streams.connect(tcp_plan(to.host, to.port, to.ssl, to.server_hostname, settings, trace))
end

-- Through the proxy at the other end of the stream.
local function through(stream, place)
  proxy.tunnel(stream, place)
  if not place.ssl then return end
  local ok, err = pcall(stream.start_tls, stream, place.ssl, {
    server_hostname = place.server_hostname or place.host,
    ssl_shutdown_timeout = SHUTDOWN_SECONDS,
  })
  if not ok then rethrow(err, place, nil, place) end
end

--- Makes a connection. [suspends] Raises ClientConnectorError and companions,
--- ClientHttpProxyError; what else fails is raised as it is.
---@param place table host, port, ssl (a context or nil), server_hostname, unix_path, proxy (host,
---  port, ssl, fields), tunnel (whether the proxy is to open one)
---@param settings table dns, local_addr, family, happy_eyeballs_delay, interleave
---@param trace? function
---@return table stream
function M.open(place, settings, trace)
  local ok, stream = pcall(first_hop, place, settings, trace)
  if not ok then
    local class = place.unix_path and errors.UnixClientConnectorError
      or place.proxy and errors.ClientProxyConnectionError
    if core.is(stream, core.SSLError) then class = nil end
    rethrow(stream, place, class or nil, place.proxy or place)
  end
  if not place.tunnel then return stream end
  local done, err = pcall(through, stream, place)
  if done then return stream end
  stream:abort()
  error(err, 0)
end

return M
