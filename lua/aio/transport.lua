-- SPDX-License-Identifier: MIT
--
-- Transports and protocols: the loop's functions that connect and serve with callbacks. Connecting,
-- listening and TLS are those of streams (aio.stream, aio.server, aio.ssl); what a transport does
-- is in C (bind/transport*.c).

local core = require "aio.core"
local check = require "aio.check"
local datagram = require "aio.datagram"
local serve = require "aio.serve"
local server = require "aio.server"
local stdio = require "aio.stdio"
local stream = require "aio.stream"

local M = {}

local Loop = core._Loop

-- The options of a stream without `limit` and `fds`, which only a reader has.
local function of_protocols(options)
  local copy = {}
  for option, kind in pairs(options) do copy[option] = kind end
  copy.limit, copy.fds = nil, nil
  return copy
end

local CONNECT_TCP, CONNECT_UNIX = of_protocols(stream.TCP_OPTIONS),
  of_protocols(stream.UNIX_OPTIONS)
local SERVE_TCP, SERVE_UNIX = of_protocols(server.TCP_OPTIONS), of_protocols(server.UNIX_OPTIONS)

-- ---- what all of them check ----

--- Raises unless `self` is the loop that runs, and `factory` can make protocols.
function M.check(self, factory, name)
  check.arg(check.callable(factory), 1, name,
    "function that returns a protocol expected, got " .. type(factory))
  if core.get_running_loop() ~= self then
    check.state(name .. ": this is not the loop that runs; call it on aio.get_running_loop()")
  end
end

--- A new protocol.
function M.protocol(factory)
  local protocol = factory()
  local kind = type(protocol)
  if kind ~= "table" and kind ~= "userdata" then
    error(core.RuntimeError("the factory of a protocol must return it (a table with callbacks); "
      .. "it returned " .. (kind == "nil" and "nothing" or "a " .. kind)), 0)
  end
  return protocol
end

-- Waits until connection_made was called, and what that has scheduled.
local function after_made()
  core.sleep(0)
  core.sleep(0)
end

--- Gives the protocol its transport, and returns both after connection_made. [suspends]
---@param make function makes a transport of a connection for a protocol
---@param conn table a stream or a datagram endpoint, closed when that fails
function M.begin(make, conn, protocol)
  local ok, transport = pcall(make, conn, protocol)
  if not ok then
    conn[conn.abort and "abort" or "close"](conn)
    error(transport, 0)
  end
  local resumed, err = pcall(after_made)
  if resumed then return transport, protocol end
  transport:close()
  error(err, 0)
end

-- ---- connecting ----

local function connect(plan, factory)
  local conn, protocol = stream.connect(plan, function() return M.protocol(factory) end)
  return M.begin(core._transport, conn, protocol)
end

--- Connects to a host by TCP, as open_connection does, for a protocol. Returns after its
--- connection_made. [suspends] Raises OSError, SSLError, TimeoutError, what the factory raises.
---@param factory fun(): table makes the protocol, when the connection is there
---@param host string name or address
---@param port integer|string number or name of a service
---@param opts? table those of open_connection but limit; with `sock` host and port are nil
---@return table transport
---@return table protocol
function Loop:create_connection(factory, host, port, opts)
  M.check(self, factory, "create_connection")
  return connect(stream.plan_tcp(host, port, opts, CONNECT_TCP, 2, "create_connection"), factory)
end

--- Connects to a Unix socket for a protocol. [suspends] Raises OSError.
---@param factory fun(): table
---@param path string
---@param opts? table those of open_unix_connection but limit
---@return table transport
---@return table protocol
function Loop:create_unix_connection(factory, path, opts)
  M.check(self, factory, "create_unix_connection")
  return connect(stream.plan_unix(path, opts, CONNECT_UNIX, 2, "create_unix_connection"), factory)
end

local ACCEPTED = {
  ssl = true, ssl_handshake_timeout = "number", ssl_shutdown_timeout = "number",
}

--- Makes a transport of a socket that was accepted elsewhere, and takes it over. Returns after
--- connection_made. [suspends] Raises OSError, SSLError, what the factory raises.
---@param factory fun(): table
---@param sock table a connected aio.socket
---@param opts? table ssl (a context, as of a server), ssl_handshake_timeout (60),
---  ssl_shutdown_timeout (30)
---@return table transport
---@return table protocol
function Loop:connect_accepted_socket(factory, sock, opts)
  local name = "connect_accepted_socket"
  M.check(self, factory, name)
  stream.check_socket(sock, 2, name)
  opts = check.options(opts, ACCEPTED, 3, name)
  local plan = stream.plan_socket({ sock = sock }, CONNECT_TCP, 2, name)
  plan.tls = stream.tls_settings(opts, 3, name, true)
  return connect(plan, factory)
end

-- ---- serving ----

-- Begins with an accepted connection; with TLS in a task, for the handshake.
local function begin_accepted(self, conn)
  local protocol
  local ok = serve.plain(function() protocol = M.protocol(self._fn) end, conn,
    "the protocol factory of a server failed for a connection from %s")
  if not ok then return nil end
  if not self._tls then return core._transport(conn, protocol) end
  return self._loop:create_task(serve.over_tls, function()
    core._transport(conn, protocol)
    conn:detach()
  end, conn, self._tls, self._shaking)
end

--- Serves TCP connections with protocols, each made by the factory. [suspends] Raises OSError.
---@param factory fun(): table
---@param host string|table|nil as of start_server
---@param port integer|string 0: a free one
---@param opts? table those of start_server but limit
---@return Server
function Loop:create_server(factory, host, port, opts)
  M.check(self, factory, "create_server")
  return server.serve_tcp(begin_accepted, factory, host, port, opts, SERVE_TCP, "create_server")
end

--- Serves connections to a Unix socket with protocols. Raises OSError.
---@param factory fun(): table
---@param path string
---@param opts? table those of start_unix_server but limit
---@return Server
function Loop:create_unix_server(factory, path, opts)
  M.check(self, factory, "create_unix_server")
  return server.serve_unix(begin_accepted, factory, path, opts, SERVE_UNIX, "create_unix_server")
end

-- ---- pipes ----

local function connect_pipe(factory, pipe, use, name)
  local protocol = M.protocol(factory)
  return M.begin(core._transport, stdio.open(pipe, use, stream.check_limit(), 2, name), protocol)
end

--- Reads a pipe, a FIFO, a terminal or a device with a protocol, which is told of the end by
--- eof_received and connection_lost. Returns after its connection_made. [suspends] Raises OSError.
---@param factory fun(): table
---@param pipe integer|table|userdata as of connect_pipe
---@return table transport without the methods that write
---@return table protocol
function Loop:connect_read_pipe(factory, pipe)
  M.check(self, factory, "connect_read_pipe")
  return connect_pipe(factory, pipe, "r", "connect_read_pipe")
end

--- Writes to a pipe, a FIFO, a terminal or a device for a protocol, whose connection_lost is called
--- also when the reader goes away. Returns after its connection_made. [suspends] Raises OSError.
---@param factory fun(): table
---@param pipe integer|table|userdata as of connect_pipe
---@return table transport without the methods that read
---@return table protocol
function Loop:connect_write_pipe(factory, pipe)
  M.check(self, factory, "connect_write_pipe")
  return connect_pipe(factory, pipe, "w", "connect_write_pipe")
end

-- ---- datagrams ----

--- Opens a datagram endpoint for a protocol, as open_datagram does. Returns after its
--- connection_made. [suspends] Raises OSError, what the factory raises.
---@param factory fun(): table
---@param opts? table those of open_datagram
---@return table transport
---@return table protocol
function Loop:create_datagram_endpoint(factory, opts)
  M.check(self, factory, "create_datagram_endpoint")
  local endpoint = datagram.open(opts, datagram.OPTIONS, 2, "create_datagram_endpoint")
  local ok, protocol = pcall(M.protocol, factory)
  if ok then return M.begin(core._datagram_transport, endpoint, protocol) end
  endpoint:close()
  error(protocol, 0)
end

-- ---- TLS ----

--- Goes on with TLS on a connection that is open, with another protocol (or the same), whose
--- connection_made is not called. The transport stays the same object. [suspends] Raises SSLError;
--- then the connection is closed.
---@param transport table of a connection
---@param protocol table
---@param ctx table|boolean a context, or for a client true
---@param opts? table those of Stream:start_tls
---@return table transport
function Loop:start_tls(transport, protocol, ctx, opts) -- luacheck: no self
  check.arg(getmetatable(transport) == core._Transport, 1, "start_tls",
    "transport of a connection expected, got " .. type(transport))
  local kind = type(protocol)
  check.arg(kind == "table" or kind == "userdata", 2, "start_tls",
    "protocol (a table with callbacks) expected, got " .. kind)
  local ssl = require "aio.ssl"
  local conn = core._transport_stream(transport)
  local settings = ssl.start_settings(conn, ctx, opts, 3)
  transport:set_protocol(protocol)
  transport:resume_reading()
  ssl.start(conn, settings)
  return transport
end

return M
