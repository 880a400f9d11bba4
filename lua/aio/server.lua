-- SPDX-License-Identifier: MIT
--
-- Servers: each accepted connection becomes a task that runs the user's function (aio.serve), or is
-- given to another part (aio.transport). Listening and accepting are in C (bind/listener.c); this
-- file decides where a server listens and how it ends.

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"
local fds = require "aio.fds"
local serve = require "aio.serve"
local stream = require "aio.stream"

local M = {}

local BACKLOG = 1024 -- the system may have a smaller limit
local PORT_TRIES = 8 -- for one free port at several addresses

--- A server. Fields: `port` (of the first address), `sockets` (one for each address, none after
--- close). Closing the scope closes the server and waits for its connections; after an error in the
--- block they are aborted first.
---@class Server
local Server = { __name = "Server" }
Server.__index = Server

-- One listening socket, as far as it can be seen.
local Socket = { __name = "ServerSocket" }
Socket.__index = Socket

--- Host and port where it listens; of a Unix socket the path.
---@return string host
---@return integer|nil port
function Socket:getsockname()
  if type(self._address) == "string" then return self._address end
  return self._address.host, self._address.port
end

--- The descriptor, to be sent to another process or inherited by one; nil when the server is
--- closed, or the system has none. It stays the server's.
---@return integer|nil
function Socket:fileno() return self._fd end

-- ---- accepting ----

-- Begins with a connection: a task that runs the user's function.
local function begin_task(self, conn)
  local create, tls = self._loop.create_task, self._tls
  if tls then return create(self._loop, serve.over_tls, self._fn, conn, tls, self._shaking) end
  return create(self._loop, serve.plain, self._fn, conn)
end

-- A listening socket that nobody can connect to any more.
local function report(self, err)
  self._loop:call_exception_handler {
    message = "a socket of a server was closed by somebody else", kind = "callback_error",
    exception = err, server = self,
  }
end

-- Called by the loop when something was accepted: begins with each connection. When that fails, the
-- connection is aborted and the loop calls again for the others.
local function on_accepted(self)
  local listener, begin = self._listener, self._begin
  local conn, err = listener:take()
  while conn do
    listener:given(begin(self, conn))
    conn, err = listener:take()
  end
  if err then report(self, err) end
end

-- ---- methods ----

--- Begins to accept connections, if it does not yet. RuntimeError when the server is closed.
function Server:start_serving()
  local serving, closed = self._listener:info()
  if closed then
    check.state "this server is closed; start another one with start_server"
  end
  if serving then return end
  self._listener:arm()
  self._listener:start()
end

--- Does it accept connections?
---@return boolean
function Server:is_serving()
  local serving = self._listener:info()
  return serving
end

-- Stops listening. With `drain` whoever has connected by now is served yet.
local function stop(self, drain)
  for _, socket in ipairs(self.sockets) do socket._fd = nil end
  self.sockets = {}
  self._listener:close(drain)
  if self._forever then self._forever:cancel() end
end

--- Stops listening. Connections that are open stay open, and so do those that the system has let in
--- and nobody has accepted yet, unless max_connections forbids it. May be repeated.
function Server:close() stop(self, true) end

--- Waits until the server is closed and none of its connections is open any more. [suspends]
function Server:wait_closed() self._listener:wait_closed() end

--- Closes every open connection, after what is still to be sent.
function Server:close_clients() self._listener:end_conns(false) end

--- Closes every open connection at once; what is still to be sent is dropped.
function Server:abort_clients() self._listener:end_conns(true) end

--- Serves until it is cancelled; then closes the server and its connections, and waits for them, so
--- that an idle client keeps no program from ending (as asyncio since 3.13). `close` ends it too,
--- and lets the connections live until they end. [suspends]
function Server:serve_forever()
  if self._forever then check.state "serve_forever runs already on this server" end
  self:start_serving()
  self._forever = self._loop:create_future()
  local _, err = pcall(self._forever.await, self._forever)
  self._forever = nil
  if self:is_serving() then
    stop(self, false)
    self:close_clients()
  end
  self:wait_closed()
  error(err, 0)
end

--- The loop that it belongs to.
---@return table
function Server:get_loop() return self._loop end

function Server:__close(err)
  if err ~= nil then self:abort_clients() end
  stop(self, err == nil)
  self:wait_closed()
end

function Server:__tostring()
  local names = {}
  for i, socket in ipairs(self.sockets) do names[i] = address.format(socket._address) end
  return ("Server (%s)"):format(#names > 0 and table.concat(names, ", ") or "closed")
end

-- ---- starting ----

local function socket_at(at, fd)
  return setmetatable({ _address = at, _fd = fd >= 0 and fd or nil }, Socket)
end

-- Opens the addresses; one port for all of them. Returns the sockets, or nil and
-- the error.
local function open_all(listener, addresses, opts)
  local sockets, port, skipped = {}, nil, nil
  for _, a in ipairs(addresses) do
    if type(a) == "table" and a.port == 0 and port then a = { host = a.host, port = port } end
    local at, more = listener:open(a, opts.backlog, opts.reuse_port, opts.keep_file)
    local err = not at and more
    if at then
      sockets[#sockets + 1] = socket_at(at, more)
      if type(at) == "table" then port = port or at.port end
    elseif err.code == "EAFNOSUPPORT" then
      skipped = err -- this machine has no such addresses
    else
      return nil, err
    end
  end
  if #sockets == 0 then return nil, skipped end
  return sockets, port
end

-- For the leak check. One that could not listen has no sockets.
function Server._left(self) return self.sockets and #self.sockets > 0 and "server" end

-- A server without addresses.
local function new(begin, fn, opts)
  local self = setmetatable({
    _begin = begin, _fn = fn, _loop = core.get_running_loop(), _tls = opts.tls,
    _shaking = opts.tls and {}, -- the tasks whose handshake is under way
  }, Server)
  core._note_made(self)
  return self
end

local function listener_of(self, opts)
  return core._listener(on_accepted, self, opts.limit, opts.max_connections, opts.fds)
end

-- A server at the addresses, not yet serving.
local function open(begin, fn, addresses, opts)
  local self = new(begin, fn, opts)
  for try = 1, PORT_TRIES do
    self._listener = listener_of(self, opts)
    local sockets, port = open_all(self._listener, addresses, opts)
    if sockets then
      self.sockets, self.port = sockets, port
      return self
    end
    self._listener:close()
    local err = port
    local again = err.code == "EADDRINUSE" and #addresses > 1 and try < PORT_TRIES
      and type(addresses[1]) == "table" and addresses[1].port == 0
    if not again then
      err.message = ("cannot listen at %s: %s"):format(
        address.format(err.address or err.filename), err.message)
      error(err, 0)
    end
  end
end

local function check_count(value, unset, name, what)
  if value == nil then return unset end
  local integer = math.tointeger(value)
  check.arg(integer and integer > 0 and integer < 2 ^ 31, name.n, name.fn,
    ("option '%s': a positive integer expected, got %s"):format(what, tostring(value)))
  return integer
end

local function settings(opts, n, fn)
  local name = { n = n, fn = fn }
  return {
    limit = stream.check_limit(opts.limit, n, fn),
    backlog = check_count(opts.backlog, BACKLOG, name, "backlog"),
    max_connections = check_count(opts.max_connections, 0, name, "max_connections"),
    reuse_port = opts.reuse_port or false,
    tls = stream.tls_settings(opts, n, fn, true),
    fds = fds.check_option(opts.fds, n, fn),
    keep_file = opts.cleanup_socket == false,
  }
end

local function check_handler(fn, name)
  check.arg(check.callable(fn), 1, name, "function that serves a connection expected, got "
    .. type(fn) .. (fn == nil and "; did you call it?" or ""))
end

local function start(server, opts)
  if opts.start_serving ~= false then server:start_serving() end
  return server
end

--- The hosts of start_server as a list; `option`: where they stand.
---@return table
function M.hosts_of(host, n, name, option)
  if host == nil or host == "" then return { false } end
  if type(host) ~= "table" then host = { host } end
  check.arg(#host > 0, n, name, "at least one host expected")
  for _, h in ipairs(host) do address.check_host(h, n, name, option) end
  return host
end

local SOCK_OPTIONS = {
  sock = true, backlog = "number", limit = "number", start_serving = "boolean",
  max_connections = "number", fds = "number", ssl = true, ssl_handshake_timeout = "number",
  ssl_shutdown_timeout = "number",
}

-- The options, when they are those of a server over a bound socket that the user made: the second
-- argument, or the last with nothing before.
local function sock_options(...)
  local last = select("#", ...)
  while last > 1 and (select(last, ...)) == nil do last = last - 1 end
  local opts = select(last, ...)
  if type(opts) ~= "table" or opts.sock == nil then return nil end
  for i = 1, last - 1 do
    if select(i, ...) ~= nil then return nil end
  end
  return opts, last + 1
end

-- Takes the socket over as the last step, after which nothing can fail: whatever error comes, the
-- socket is still the caller's.
local function take_over(self, sock, set, serving)
  local socket = socket_at(false, 0)
  self.sockets, self.port = { socket }, 0
  if serving then self:start_serving() end
  local at, more = self._listener:take_over(sock, set.backlog)
  if not at then
    more.message = ("cannot listen at %s: %s"):format(
      type(sock) == "number" and "descriptor " .. sock or "this socket", more.message)
    error(more, 0)
  end
  socket._address, socket._fd = at, more >= 0 and more or nil
  self.port = type(at) == "table" and at.port or nil
end

local function start_sock(fn, opts, n, name)
  check_handler(fn, name)
  opts = check.options(opts, SOCK_OPTIONS, n, name)
  stream.check_socket(opts.sock, n, name)
  local set = settings(opts, n, name)
  local self = new(begin_task, fn, set)
  self._listener = listener_of(self, set)
  local ok, err = pcall(take_over, self, opts.sock, set, opts.start_serving ~= false)
  if ok then return self end
  self._listener:close()
  error(err, 0)
end

--- The options of a TCP server, and of one at a Unix socket.
M.TCP_OPTIONS = {
  backlog = "number", reuse_port = "boolean", limit = "number", start_serving = "boolean",
  max_connections = "number", family = "string", ssl = true, ssl_handshake_timeout = "number",
  ssl_shutdown_timeout = "number",
}
M.UNIX_OPTIONS = {
  backlog = "number", limit = "number", start_serving = "boolean", max_connections = "number",
  fds = "number", cleanup_socket = "boolean", ssl = true, ssl_handshake_timeout = "number",
  ssl_shutdown_timeout = "number",
}

--- A TCP server for the function `name`, of which `host` is the second argument. [suspends]
---@param begin fun(server: Server, conn: table): any begins with a connection; it may return a task
---  with whose end the connection ends
---@param fn function the user's, `_fn` of the server
---@param known table the options that there are
function M.serve_tcp(begin, fn, host, port, opts, known, name)
  local hosts = M.hosts_of(host, 2, name)
  port = address.check_port(port, 3, name)
  opts = check.options(opts, known, 4, name)
  address.check_family(opts.family, 4, name)
  local set = settings(opts, 4, name)
  local addresses = {}
  for _, h in ipairs(hosts) do
    for _, a in ipairs(address.resolve(h or nil, port, opts.family, true)) do
      addresses[#addresses + 1] = a
    end
  end
  return start(open(begin, fn, addresses, set), opts)
end

--- The same at a Unix socket.
function M.serve_unix(begin, fn, path, opts, known, name)
  stream.check_path(path, 2, name)
  opts = check.options(opts, known, 3, name)
  return start(open(begin, fn, { path }, settings(opts, 3, name)), opts)
end

--- Serves TCP connections: each is a task that runs `fn(conn)`; when it ends the connection is
--- closed, unless it was detached. [suspends] Raises OSError.
---@param fn fun(conn: table)
---@param host string|table|nil a name or an address, a list of such, or nil for all interfaces
---@param port integer|string 0: a free one
---@param opts? table backlog (1024), reuse_port (false), limit (65536 bytes in a line),
---  start_serving (true), max_connections (any number), family ("inet" or "inet6"), ssl (a
---  context), ssl_handshake_timeout (60), ssl_shutdown_timeout (30)
---
--- `start_server(fn, {sock=})` serves at a bound socket, of TCP or a Unix socket: an aio.socket, or
--- a descriptor, of listen_fds or another process. It belongs to the server when start_server has
--- returned, and after any error it is still the caller's. Then fds (so many received descriptors
--- may wait in a connection) is an option too; host, port, family and reuse_port are none.
---@return Server
function M.start_server(fn, host, port, opts)
  local of_sock, n = sock_options(host, port, opts)
  if of_sock then return start_sock(fn, of_sock, n, "start_server") end
  check_handler(fn, "start_server")
  return M.serve_tcp(begin_task, fn, host, port, opts, M.TCP_OPTIONS, "start_server")
end

--- Serves connections to a Unix socket. A socket file that no process listens at is replaced; the
--- file is removed when the server closes. Raises OSError.
---@param fn fun(conn: table)
---@param path string a path, or on Linux an abstract name that begins with a zero byte
---@param opts? table backlog, limit, start_serving, max_connections, ssl, ssl_handshake_timeout,
---  ssl_shutdown_timeout as of start_server; fds (so many received descriptors may wait in a
---  connection), cleanup_socket (true; false leaves the file where it is at the end)
---@return Server
function M.start_unix_server(fn, path, opts)
  local of_sock, n = sock_options(path, opts)
  if of_sock then return start_sock(fn, of_sock, n, "start_unix_server") end
  check_handler(fn, "start_unix_server")
  return M.serve_unix(begin_task, fn, path, opts, M.UNIX_OPTIONS, "start_unix_server")
end

M.Server = Server

return M
