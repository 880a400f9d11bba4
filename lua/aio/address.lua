-- SPDX-License-Identifier: MIT
--
-- Names of hosts and addresses: getaddrinfo, getnameinfo, and what streams and servers need of
-- them. The looking up is in C (bind/address.c), on the thread pool.

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local FAMILIES = { inet = true, inet6 = true }
local TYPES = { stream = true, dgram = true }

-- What is wrong with a value, of an option when that is named.
local function wrong(n, name, option, expected, value)
  local got = type(value) == "string" and ("%q"):format(value)
    or type(value) == "number" and tostring(value) or type(value)
  check.argerror(n, name, ("%s%s expected, got %s"):format(
    option and ("option '%s': "):format(option) or "", expected, got))
end

--- Checks a port: an integer from 0 to 65535, or the name of a service. `option`: where it stands.
function M.check_port(port, n, name, option)
  local integer = math.tointeger(port)
  if type(port) == "string" and not integer and port ~= "" then return port end
  if integer and integer >= 0 and integer <= 65535 then return integer end
  wrong(n, name, option, "port from 0 to 65535, or the name of a service,", port)
end

--- Checks a family: "inet", "inet6" or nil.
function M.check_family(family, n, name)
  check.arg(family == nil or FAMILIES[family], n, name,
    "option 'family': \"inet\" or \"inet6\" expected")
end

--- Checks the name of a host.
function M.check_host(host, n, name, option)
  if type(host) == "string" and host ~= "" and not host:find("\0", 1, true) then return end
  wrong(n, name, option, "name or address of a host", host)
end

--- An address as text: "127.0.0.1:80", "[::1]:80", or the path.
function M.format(a)
  if type(a) ~= "table" then return tostring(a) end
  local host, port = a.host or a[1], a.port or a[2]
  return (host:find(":", 1, true) and "[%s]:%s" or "%s:%s"):format(host, port)
end

-- A look-up, whose error names what was looked up.
local function lookup(host, port, family, type, passive)
  local list, err = core._lookup_host(host, port and tostring(port), family, type, passive)
  if list then return list end
  err.message = ("cannot look up %s: %s"):format(M.format { host or "*", port or "*" }, err.message)
  error(err, 0)
end

--- The addresses of a host, each once. A host in digits is not looked up. [suspends]
---@param host string|nil nil: all interfaces
---@param kind? string "dgram"; nil: "stream"
---@return table list of { host=, port=, family= }
function M.resolve(host, port, family, passive, kind)
  local numeric = host and math.type(port) == "integer" and core._numeric(host, port)
  if numeric and (family == nil or numeric.family == family) then return { numeric } end
  local list, seen = {}, {}
  for _, a in ipairs(lookup(host, port, family, kind or "stream", passive)) do
    local key = M.format(a)
    if not seen[key] then
      seen[key] = true
      list[#list + 1] = a
    end
  end
  return list
end

--- Looks up the addresses of a host and a service. [suspends] Raises OSError whose code is
--- "EAI_...".
---@param host string|nil nil: this host
---@param port integer|string|nil a number or the name of a service
---@param opts? table { family = "inet"|"inet6", type = "stream"|"dgram" }; without a type one
---  entry for each type comes back
---@return table list of { host=, port=, family=, type=, proto=, canonname= }
function M.getaddrinfo(host, port, opts)
  if host ~= nil then M.check_host(host, 1, "getaddrinfo") end
  if port ~= nil then port = M.check_port(port, 2, "getaddrinfo") end
  check.arg(host ~= nil or port ~= nil, 1, "getaddrinfo", "a host or a port expected")
  opts = check.options(opts, { family = "string", type = "string" }, 3, "getaddrinfo")
  M.check_family(opts.family, 3, "getaddrinfo")
  check.arg(opts.type == nil or TYPES[opts.type], 3, "getaddrinfo",
    "option 'type': \"stream\" or \"dgram\" expected")
  return lookup(host, port, opts.family, opts.type, false)
end

local NAME_FLAGS = {
  namereqd = true, dgram = true, nofqdn = true, numerichost = true, numericserv = true,
}

--- Looks up the name of an address. [suspends] Raises OSError whose code is "EAI_...".
---@param addr table { host=, port= }, the host in digits
---@param flags? table list of "namereqd", "dgram", "nofqdn", "numerichost", "numericserv"
---@return string host
---@return string service
function M.getnameinfo(addr, flags)
  check.arg(type(addr) == "table", 1, "getnameinfo",
    "address { host=, port= } expected, got " .. type(addr))
  local host, port = addr.host or addr[1], addr.port or addr[2] or 0
  M.check_host(host, 1, "getnameinfo")
  port = M.check_port(port, 1, "getnameinfo")
  check.arg(math.type(port) == "integer" and core._numeric(host, port), 1, "getnameinfo",
    "an address in digits expected; getaddrinfo gives one")
  check.arg(flags == nil or type(flags) == "table", 2, "getnameinfo", "list of flags expected")
  for _, flag in ipairs(flags or {}) do
    check.arg(NAME_FLAGS[flag], 2, "getnameinfo", ("unknown flag '%s'"):format(tostring(flag)))
  end
  local name, service = core._lookup_name({ host = host, port = port }, table.unpack(flags or {}))
  if name then return name, service end
  service.message = ("cannot look up the name of %s: %s"):format(host, service.message)
  error(service, 0)
end

-- Where asyncio has them.

--- As aio.getaddrinfo. [suspends]
---@param ... any its arguments
---@return table list
core._Loop.getaddrinfo = function(_, ...) return M.getaddrinfo(...) end

--- As aio.getnameinfo. [suspends]
---@param ... any its arguments
---@return string host
---@return string service
core._Loop.getnameinfo = function(_, ...) return M.getnameinfo(...) end

return M
