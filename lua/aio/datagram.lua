-- SPDX-License-Identifier: MIT
--
-- Opening datagram endpoints. What an endpoint does is in C (bind/datagram.c); here are the options
-- and the choice of the addresses.

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"
local stream = require "aio.stream"

local M = {}

local QUEUE = 256 -- datagrams that wait to be received, by default
local ANY = { inet = "0.0.0.0", inet6 = "::" }

--- The options that there are.
M.OPTIONS = {
  local_addr = true, remote_addr = true, family = "string", broadcast = "boolean",
  reuse_port = "boolean", queue = "number", multicast_ttl = "number", multicast_loop = "boolean",
  multicast_interface = "string",
}

-- An address of the options: a table { host, port }, a path, or nil.
local function check_address(a, what, n, name)
  if a == nil then return nil end
  if type(a) == "string" then
    local host, port = a:match "^%[?([^/\0]-)%]?:(%d+)$"
    if host then
      check.argerror(n, name, ("option '%s': '%s' would be the path of a Unix socket; write "
        .. "{ %s, %s }, or for such a path './%s'"):format(what, a,
        host == "" and "host" or ("%q"):format(host), port, a))
    end
    stream.check_path(a, n, name)
    return a
  end
  check.arg(type(a) == "table", n, name,
    ("option '%s': address { host=, port= } or path expected, got %s"):format(what, type(a)))
  local host, port = a.host or a[1], a.port or a[2]
  address.check_host(host, n, name, what)
  return { host = host, port = address.check_port(port, n, name, what) }
end

local function check_integer(value, low, high, what, n, name)
  if value == nil then return nil end
  local integer = math.tointeger(value)
  check.arg(integer and integer >= low and integer <= high, n, name,
    ("option '%s': an integer from %d to %d expected, got %s"):format(what, low, high, value))
  return integer
end

-- The addresses that an option stands for; of nothing `{ false }`.
local function resolve(a, family, passive)
  if a == nil then return { false } end
  if type(a) == "string" then return { a } end
  return address.resolve(a.host, a.port, family, passive, "dgram")
end

local function family_of(a) return type(a) == "table" and a.family or nil end

-- Opens the first pair of addresses that works. An endpoint, or nil and the errors.
local function open_first(locals, remotes, set)
  local errors = {}
  for _, remote in ipairs(remotes) do
    for _, here in ipairs(locals) do
      if not here or not remote or family_of(here) == family_of(remote) then
        local endpoint, err = core._datagram(here or nil, remote or nil, set.queue, set.broadcast,
          set.reuse_port, set.ttl, set.loop, set.interface)
        if endpoint then return endpoint end
        errors[#errors + 1] = err
      end
    end
  end
  return nil, errors
end

-- One error for all pairs that were tried, the last one's.
local function open_error(errors)
  local err = errors[#errors]
  if not err then
    return core.OSError("no local address is of the family of the remote address",
      { code = "EAFNOSUPPORT", errors = {} })
  end
  local lines = {}
  for i, e in ipairs(errors) do
    lines[i] = ("%s: %s"):format(address.format(e.address or e.filename), e.message)
  end
  return core.OSError("cannot open a datagram endpoint at " .. table.concat(lines, "; "), {
    code = err.code, errno = err.errno, syscall = err.syscall, address = err.address,
    filename = err.filename, errors = errors,
  })
end

--- Opens an endpoint by the options, which are argument `n` of function `name`. [suspends]
---@param opts table|nil
---@param known table the options that there are
---@return table datagram
function M.open(opts, known, n, name)
  opts = check.options(opts, known, n, name)
  address.check_family(opts.family, n, name)
  local here = check_address(opts.local_addr, "local_addr", n, name)
  local remote = check_address(opts.remote_addr, "remote_addr", n, name)
  check.arg(here == nil or remote == nil or type(here) == type(remote), n, name,
    "local_addr and remote_addr must be of one kind: both { host=, port= } or both a path")
  local set = {
    broadcast = opts.broadcast or false, reuse_port = opts.reuse_port or false,
    queue = check_integer(opts.queue, 1, 2 ^ 20, "queue", n, name) or QUEUE,
    ttl = check_integer(opts.multicast_ttl, 0, 255, "multicast_ttl", n, name),
    loop = opts.multicast_loop, interface = opts.multicast_interface,
  }
  if here == nil and remote == nil then here = { host = ANY[opts.family or "inet"], port = 0 } end
  local endpoint, errors = open_first(resolve(here, opts.family, true),
    resolve(remote, opts.family, false), set)
  return endpoint or error(open_error(errors), 0)
end

--- Opens a datagram endpoint: UDP, or a Unix datagram socket. With `remote_addr` it sends to and
--- receives from that address only. [suspends, when a name has to be looked up] Raises OSError.
---@param opts? table local_addr ({ host=, port= } or path), remote_addr, family ("inet"; "inet6"),
---  broadcast (false: sending to a broadcast address is refused), reuse_port (false), queue (256
---  datagrams that wait to be received), multicast_ttl, multicast_loop, multicast_interface (name,
---  or an IPv4 address of the interface)
---@return table datagram send, recv, datagrams, join_group, leave_group, dropped, close,
---  is_closing, get_extra_info
function M.open_datagram(opts)
  return M.open(opts, M.OPTIONS, 1, "open_datagram")
end

return M
