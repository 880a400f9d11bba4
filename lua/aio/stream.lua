-- SPDX-License-Identifier: MIT
--
-- Opening streams. What a stream does is in C (bind/stream*.c); here are the options and the walk
-- over the addresses of a host.

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"
local timeout = require("aio.timeout").timeout

local M = {}

local LIMIT = 65536 -- bytes in a line, by default

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

-- The local address for a connection to `a`: the first of the same family.
local function local_for(a, locals)
  if not locals then return nil end
  for _, l in ipairs(locals) do
    if l.family == a.family then return l end
  end
  return nil, true
end

-- Tries the addresses in turn. One attempt is one call of core._connect in one task, so that
-- attempts can also be made side by side.
local function connect(addresses, locals, opts)
  local errors = {}
  for _, a in ipairs(addresses) do
    local l, missing = local_for(a, locals)
    if not missing then
      local conn, err = core._connect(a, l, opts.limit, opts.nodelay, opts.keepalive)
      if conn then return conn end
      errors[#errors + 1] = err
    end
  end
  if #errors > 0 then error(connect_error(errors), 0) end
  error(core.OSError("no address of the host fits the local address",
    { code = "EAFNOSUPPORT", errors = {} }), 0)
end

local function connect_host(host, port, local_host, local_port, opts)
  local locals = local_host and address.resolve(local_host, local_port, opts.family, true)
  return connect(address.resolve(host, port, opts.family, false), locals, opts)
end

local TCP_OPTIONS = {
  limit = "number", timeout = "number", nodelay = "boolean", keepalive = "boolean",
  family = "string", local_addr = "table",
}

--- Connects to a host by TCP, trying its addresses in turn. [suspends] Raises OSError (its `errors`
--- has one for each address), or TimeoutError.
---@param host string name or address
---@param port integer|string number or name of a service
---@param opts? table limit (65536 bytes in a line), timeout (seconds for everything), nodelay
---  (true), keepalive (false), family ("inet" or "inet6"), local_addr ({ host=, port= })
---@return table stream
function M.open_connection(host, port, opts)
  address.check_host(host, 1, "open_connection")
  port = address.check_port(port, 2, "open_connection")
  opts = check.options(opts, TCP_OPTIONS, 3, "open_connection")
  address.check_family(opts.family, 3, "open_connection")
  check.seconds(opts.timeout, 3, "open_connection")
  local local_host, local_port
  if opts.local_addr then
    local_host = opts.local_addr.host or opts.local_addr[1]
    address.check_host(local_host, 3, "open_connection")
    local_port = address.check_port(opts.local_addr.port or opts.local_addr[2] or 0, 3,
      "open_connection")
  end
  local settings = {
    limit = M.check_limit(opts.limit, 3, "open_connection"), nodelay = opts.nodelay ~= false,
    keepalive = opts.keepalive or false, family = opts.family,
  }
  if not opts.timeout then return connect_host(host, port, local_host, local_port, settings) end
  return timeout(opts.timeout, connect_host, host, port, local_host, local_port, settings)
end

--- Connects to a Unix socket. [suspends] Raises OSError.
---@param path string a path, or on Linux an abstract name that begins with a zero byte
---@param opts? table limit (65536 bytes in a line), timeout (seconds)
---@return table stream
function M.open_unix_connection(path, opts)
  M.check_path(path, 1, "open_unix_connection")
  opts = check.options(opts, { limit = "number", timeout = "number" }, 2, "open_unix_connection")
  check.seconds(opts.timeout, 2, "open_unix_connection")
  local settings = { limit = M.check_limit(opts.limit, 2, "open_unix_connection") }
  if not opts.timeout then return connect({ path }, nil, settings) end
  return timeout(opts.timeout, connect, { path }, nil, settings)
end

return M
