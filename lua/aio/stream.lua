-- SPDX-License-Identifier: MIT
--
-- Opening streams. What a stream does is in C (bind/stream*.c); here are the options and the walk
-- over the addresses of a host.

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"
local staggered = require "aio.staggered"
local fds = require "aio.fds"
local timeout = require("aio.timeout").timeout

local M = {}

local LIMIT = 65536 -- bytes in a line, by default
local DELAY = 0.25 -- seconds until the next address is tried beside those before, by default

--- Checks the option `limit`; the default when it is not given.
function M.check_limit(limit, n, name)
  if limit == nil then return LIMIT end
  local integer = math.tointeger(limit)
  check.arg(integer and integer > 0, n, name,
    "option 'limit': a positive number of bytes expected, got " .. tostring(limit))
  return integer
end

--- Checks a path of a Unix socket.
function M.check_path(path, n, name)
  check.arg(type(path) == "string" and path ~= "", n, name,
    "path expected, got " .. (type(path) == "string" and "an empty one" or type(path)))
  check.arg(path:sub(1, 1) == "\0" or not path:find("\0", 1, true), n, name,
    "path without a zero byte inside expected")
end

-- One error for all addresses: what they have in common, or the last one's.
local function connect_error(errors)
  local last, lines = errors[#errors], {}
  for i, err in ipairs(errors) do
    lines[i] = ("%s: %s"):format(address.format(err.address or err.filename), err.message)
  end
  return core.OSError("cannot connect to " .. table.concat(lines, "; "), {
    code = last.code, errno = last.errno, syscall = last.syscall,
    address = last.address, filename = last.filename, errors = errors,
  })
end

local function of_family(list, family)
  local found = {}
  for _, a in ipairs(list) do
    if a.family == family then found[#found + 1] = a end
  end
  return found
end

-- Connects to one address, from the first of the local ones of its family that can be bound. A
-- stream, or nil and the OSError.
local function connect_from(a, locals, opts)
  if not locals then
    return core._connect(a, nil, opts.limit, opts.nodelay, opts.keepalive, opts.fds)
  end
  local conn, err
  for _, here in ipairs(of_family(locals, a.family)) do
    conn, err = core._connect(a, here, opts.limit, opts.nodelay, opts.keepalive)
    if conn or err.syscall ~= "bind" then break end
  end
  return conn, err
end

-- Needs no task; a connection is returned before anything can fail.
local function connect_one(a, locals, opts)
  local conn, err = connect_from(a, locals, opts)
  return conn or error(connect_error { err }, 0)
end

-- Connects to the first address that answers; the list is not empty, and for each of its addresses
-- there is a local one.
local function connect(addresses, locals, opts)
  if #addresses == 1 then return connect_one(addresses[1], locals, opts) end
  local function attempt(i) return connect_from(addresses[i], locals, opts) end
  addresses = staggered.interleave(addresses, opts.interleave)
  local conn, errors = staggered.race(#addresses, opts.delay, attempt,
    function(late) late:abort() end)
  return conn or error(connect_error(errors), 0)
end

-- The addresses for which there is a local one.
local function reachable(addresses, locals)
  local found = {}
  for _, a in ipairs(addresses) do
    if #of_family(locals, a.family) > 0 then found[#found + 1] = a end
  end
  if #found > 0 then return found end
  error(core.OSError("no address of the host fits the local address",
    { code = "EAFNOSUPPORT", errors = {} }), 0)
end

local function connect_host(host, port, local_host, local_port, opts)
  local locals = local_host and address.resolve(local_host, local_port, opts.family, true)
  local addresses = (opts.resolve or address.resolve)(host, port, opts.family, false)
  if locals then addresses = reachable(addresses, locals) end
  return connect(addresses, locals, opts)
end

local PLAIN = { limit = LIMIT, nodelay = true, keepalive = false }

-- The commonest case, an address in digits and no option: nothing has to be planned. Nil when it is
-- another.
local function connect_plainly(host, port)
  local plain = type(host) == "string" and math.type(port) == "integer" and port >= 0
    and port <= 65535 and not host:find("\0", 1, true)
  local at = plain and core._numeric(host, port)
  return at and connect_one(at, nil, PLAIN)
end

-- The stream of a connected socket, or a descriptor of one, which it takes over.
local function adopt(sock, limit)
  local conn, err = core._take(sock, limit)
  if conn then return conn end
  if err.code == "EPROTOTYPE" then err.message = "sock: a socket of type \"stream\" expected" end
  error(err, 0)
end

--- Checks the option `sock`.
function M.check_socket(sock, n, name)
  if math.type(sock) == "integer" and sock >= 0 and sock < 2 ^ 31 then return end
  check.arg(core._socket_family(sock), n, name,
    "aio.socket, or a descriptor of one, expected, got " .. type(sock))
  check.arg(sock:fileno(), n, name, "open aio.socket expected, got a closed one")
end

-- TLS is loaded when it is first used, so that nobody else needs its library.
local function ssl() return require "aio.ssl" end

local TLS_OPTIONS = { "server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout" }

--- Takes the options of TLS out of `opts`: what aio.ssl wants, or nil without TLS.
---@param server boolean
function M.tls_settings(opts, n, name, server)
  if opts.ssl == nil or opts.ssl == false then
    for _, option in ipairs(TLS_OPTIONS) do
      if opts[option] ~= nil then
        check.argerror(n, name, ("option '%s' needs option 'ssl'"):format(option))
      end
    end
    return nil
  end
  return ssl().settings(opts, n, name, server)
end

-- What is to be done with a connection that has just been made, see M.connect.
local function complete(plan, conn, prepare)
  local made = prepare and prepare(conn)
  if plan.tls then plan.tls:start(conn) end
  return made
end

local function carry_out(plan, prepare)
  local conn = plan.open()
  if not plan.tls and not prepare then return conn end
  local ok, made = pcall(complete, plan, conn, prepare)
  if ok then return conn, made end
  conn:abort()
  error(made, 0)
end

--- Makes a connection that was planned (M.plan_tcp, M.plan_unix). [suspends]
---@param plan table
---@param prepare? fun(conn: table): any called when it is there, before TLS
---@return table stream
---@return any made what `prepare` returned
function M.connect(plan, prepare)
  if not plan.timeout then return carry_out(plan, prepare) end
  return timeout(plan.timeout, carry_out, plan, prepare)
end

--- Goes on with TLS on a connection that is open, after what was agreed on without it. What was
--- read ahead belongs to TLS. [suspends] Raises SSLError; then the connection is closed.
---@param ctx table|boolean a context, or for a client true
---@param opts? table server_hostname (the name to look for in the certificate), server_side (false,
---  true when a server accepted the connection), ssl_handshake_timeout (60),
---  ssl_shutdown_timeout (30)
function core._Stream:start_tls(ctx, opts) ssl().start_tls(self, ctx, opts) end

--- Makes a context: certificates, whom to trust, what to agree on; for clients and servers.
---@param opts? table cert, key, password, ca, client_ca, verify, alpn, ciphers, min_version,
---  max_version, session_cache, sni
---@return table context
function M.ssl_context(opts) return ssl().context(opts) end

--- The options of a connection by TCP, and to a Unix socket.
M.TCP_OPTIONS = {
  limit = "number", timeout = "number", nodelay = "boolean", keepalive = "boolean",
  family = "string", local_addr = "table", happy_eyeballs_delay = "number", interleave = "number",
  ssl = true, server_hostname = "string", ssl_handshake_timeout = "number",
  ssl_shutdown_timeout = "number", sock = true,
}
M.UNIX_OPTIONS = {
  limit = "number", timeout = "number", fds = "number", ssl = true, server_hostname = "string",
  ssl_handshake_timeout = "number", ssl_shutdown_timeout = "number",
}

-- The delay and the interleaving, checked.
local function check_happy(opts, n, name)
  local delay, count = opts.happy_eyeballs_delay or DELAY, math.tointeger(opts.interleave or 1)
  if delay < 0 or delay ~= delay then
    check.argerror(n, name,
      "option 'happy_eyeballs_delay': a number of seconds, not negative, expected, got " .. delay)
  end
  if not count or count < 0 then
    check.argerror(n, name,
      "option 'interleave': an integer, not negative, expected, got " .. tostring(opts.interleave))
  end
  return delay, count
end

-- The host and the port of the option `local_addr`, checked.
local function check_local(addr, n, name)
  if not addr then return nil end
  local host = addr.host or addr[1]
  address.check_host(host, n, name, "local_addr")
  return host, address.check_port(addr.port or addr[2] or 0, n, name, "local_addr")
end

--- Checks the arguments of a connection by TCP, of which `host` is number `n` of function `name`.
---@param known table the options that there are
---@return table plan for M.connect
function M.plan_tcp(host, port, opts, known, n, name)
  if host == nil and port == nil and type(opts) == "table" and opts.sock ~= nil then
    return M.plan_socket(opts, known, n + 2, name)
  end
  address.check_host(host, n, name)
  port = address.check_port(port, n + 1, name)
  n = n + 2
  opts = check.options(opts, known, n, name)
  check.arg(opts.sock == nil, n, name, "option 'sock': leave host and port out (nil)")
  address.check_family(opts.family, n, name)
  check.seconds(opts.timeout, n, name)
  local local_host, local_port = check_local(opts.local_addr, n, name)
  local delay, interleave = check_happy(opts, n, name)
  local settings = {
    delay = delay, interleave = interleave, limit = M.check_limit(opts.limit, n, name),
    nodelay = opts.nodelay ~= false, keepalive = opts.keepalive or false, family = opts.family,
    resolve = known.resolve and opts.resolve,
  }
  local tls = M.tls_settings(opts, n, name, false)
  if tls then tls = tls:towards(host, address.format { host, port }) end
  return { timeout = opts.timeout, tls = tls, open = function()
    return connect_host(host, port, local_host, local_port, settings)
  end }
end

--- The same for the option `sock`; the options are argument `n`.
function M.plan_socket(opts, known, n, name)
  opts = check.options(opts, known, n, name)
  M.check_socket(opts.sock, n, name)
  check.seconds(opts.timeout, n, name)
  local limit = M.check_limit(opts.limit, n, name)
  local tls = M.tls_settings(opts, n, name, false)
  if tls then tls = tls:towards(nil, "a socket") end
  return { timeout = opts.timeout, tls = tls, open = function() return adopt(opts.sock, limit) end }
end

--- The same for a Unix socket.
function M.plan_unix(path, opts, known, n, name)
  M.check_path(path, n, name)
  n = n + 1
  opts = check.options(opts, known, n, name)
  check.seconds(opts.timeout, n, name)
  local settings = {
    limit = M.check_limit(opts.limit, n, name), fds = fds.check_option(opts.fds, n, name),
  }
  local tls = M.tls_settings(opts, n, name, false)
  if tls then tls = tls:towards(nil, path) end
  return { timeout = opts.timeout, tls = tls, open = function()
    return connect({ path }, nil, settings)
  end }
end

--- Connects to a host by TCP. When it has several addresses, each gets `happy_eyeballs_delay`
--- seconds before the next is tried beside it; the first to answer wins. [suspends] Raises OSError
--- (its `errors` has one for each address), SSLError, or TimeoutError.
---@param host string name or address
---@param port integer|string number or name of a service
---@param opts? table limit (65536 bytes in a line), timeout (seconds for everything), nodelay
---  (true), keepalive (false), family ("inet" or "inet6"), local_addr ({ host=, port= }),
---  happy_eyeballs_delay (0.25 seconds; math.huge: one address after the other), interleave (1: so
---  many addresses of the first family, then the families in turn; 0: the order of the look-up),
---  ssl (true or a context), server_hostname (`host`), ssl_handshake_timeout (60),
---  ssl_shutdown_timeout (30), sock (a connected aio.socket, which the stream takes over, in place
---  of host and port: open_connection { sock = s })
---@return table stream
function M.open_connection(host, port, opts)
  if opts == nil then
    if type(host) == "table" and port == nil then
      return (M.connect(M.plan_socket(host, M.TCP_OPTIONS, 1, "open_connection")))
    end
    local conn = connect_plainly(host, port)
    if conn then return conn end
  end
  return (M.connect(M.plan_tcp(host, port, opts, M.TCP_OPTIONS, 1, "open_connection")))
end

--- Connects to a Unix socket. [suspends] Raises OSError.
---@param path string a path, or on Linux an abstract name that begins with a zero byte
---@param opts? table limit (65536 bytes in a line), timeout (seconds), fds (so many received
---  descriptors may wait for recv_fds; unset: none are received), ssl, server_hostname,
---  ssl_handshake_timeout, ssl_shutdown_timeout as of open_connection
---@return table stream
function M.open_unix_connection(path, opts)
  if type(path) == "table" and opts == nil then
    return (M.connect(M.plan_socket(path, M.TCP_OPTIONS, 1, "open_unix_connection")))
  end
  return (M.connect(M.plan_unix(path, opts, M.UNIX_OPTIONS, 1, "open_unix_connection")))
end

return M
