-- SPDX-License-Identifier: MIT
--
-- A connector: where the connections of a session come from. It knows places (host, port, TLS,
-- proxy), makes links to them (dial.lua) and keeps those that are clean (pool.lua). A link is a
-- connection with its parser and what it is used for.

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"
local dial = require "aio.http.dial"
local dns = require "aio.http.dns"
local errors = require "aio.http.errors"
local client_timeout = require "aio.http.client_timeout"
local pools = require "aio.http.pool"
local proxy = require "aio.http.proxy"
local auth = require "aio.http.auth"
local stream = require "aio.stream"
local timeout = require("aio.timeout").timeout

local M = {}

local LIMIT, KEEPALIVE, TTL = 100, 15, 10
local MOST_PLACES = 1000 -- that are remembered

local Connector = { _kind = "the connector" }
Connector.__index = Connector
Connector.__name = "Connector"

-- ---- TLS ----

local plain_context

-- What stands for `ssl = true`.
local function default_context()
  plain_context = plain_context or stream.ssl_context { alpn = { "http/1.1" } }
  return plain_context
end

-- Checks an option `ssl`: nil and true are the default.
local function check_ssl(value, n, name)
  check.arg(value ~= false, n, name, "option 'ssl': false would be no TLS at all; for a server "
    .. "whose certificate cannot be verified write ssl = aio.ssl_context{ verify = false }")
  check.arg(value == nil or value == true or type(value) == "userdata", n, name,
    "option 'ssl': true or an aio.ssl_context expected, got " .. type(value)
      .. (type(value) == "table" and "; write ssl = aio.ssl_context{ ... }" or ""))
  return value ~= true and value or nil
end
M.check_ssl = check_ssl

-- Contexts have no names: each gets a number, for keys.
local numbers, last_number = setmetatable({}, { __mode = "k" }), 0

local function number_of(context)
  if not numbers[context] then
    last_number = last_number + 1
    numbers[context] = last_number
  end
  return numbers[context]
end

-- ---- options ----

local OPTIONS = {
  limit = "number", limit_per_host = "number", keepalive_timeout = "number", ssl = true,
  local_addr = "table", family = "string", ttl_dns_cache = "number", resolver = true,
  happy_eyeballs_delay = "number", interleave = "number", unix_path = "string",
}

local function check_count(opts, option, unset)
  local value = opts[option]
  if value == nil then return unset end
  if value == 0 or value == math.huge then return math.huge end
  check.arg(math.tointeger(value) and value > 0, 1, "Connector",
    ("option '%s': a positive integer, or 0 for any number, expected, got %s"):format(option,
      value))
  return value
end

local function check_seconds(opts, option, unset)
  local value = opts[option] or unset
  check.arg(value >= 0, 1, "Connector",
    ("option '%s': a number of seconds, not negative, expected, got %s"):format(option, value))
  return value
end

local function check_resolver(resolver)
  local ok = resolver == nil or check.callable(resolver)
    or type(resolver) == "table" and check.callable(resolver.resolve)
  check.arg(ok, 1, "Connector",
    "option 'resolver': function(host, port, family), or an object with such a method 'resolve'")
  return resolver
end

local function check_local(addr)
  if not addr then return nil end
  address.check_host(addr.host or addr[1], 1, "Connector", "local_addr")
  return addr
end

--- Where connections come from. A session makes one, or is given one, and closes it; several with
--- `connector_owner = false` share its connections, and then it is to be closed after them.
---@param opts? table limit (100 connections in all; 0: any number), limit_per_host (0: any number),
---  keepalive_timeout (15 seconds that one may be idle; 0: each is closed after its request), ssl
---  (a context), local_addr ({ host=, port= }), family ("inet" or "inet6"), ttl_dns_cache (10
---  seconds; 0: each look-up anew), resolver (function(host, port, family) that returns a list of
---  { host=, port= }), happy_eyeballs_delay (0.25 seconds), interleave (1), unix_path (everything
---  goes to this Unix socket)
---@return table Connector
function M.Connector(opts)
  opts = check.options(opts, OPTIONS, 1, "Connector")
  address.check_family(opts.family, 1, "Connector")
  if opts.unix_path then stream.check_path(opts.unix_path, 1, "Connector") end
  return setmetatable({
    _pool = pools.new(check_count(opts, "limit", LIMIT),
      check_count(opts, "limit_per_host", math.huge),
      check_seconds(opts, "keepalive_timeout", KEEPALIVE)),
    _ssl = check_ssl(opts.ssl, 1, "Connector"), _unix_path = opts.unix_path,
    _places = {}, _places_n = 0, closed = false,
    _settings = {
      dns = dns.new(check_resolver(opts.resolver), check_seconds(opts, "ttl_dns_cache", TTL)),
      local_addr = check_local(opts.local_addr), family = opts.family,
      happy_eyeballs_delay = opts.happy_eyeballs_delay, interleave = opts.interleave,
    },
  }, Connector)
end

-- ---- places ----

local function fields_of(via, fields)
  local all = {}
  if via.user then
    all[1], all[2] = "Proxy-Authorization",
      "Basic " .. auth.base64(via.user .. ":" .. (via.password or ""))
  end
  return table.move(fields or {}, 1, #(fields or ""), #all + 1, all)
end

local function proxy_of(self, url, fields)
  if not url then return nil end
  local via = proxy.parse(url)
  return { host = via.host, port = via.port, fields = fields_of(via, fields),
    ssl = via.tls and (self._ssl or default_context()) or nil }
end

-- All that tells one connection from another: never is one used under another name.
local function key_of(place)
  local via = place.proxy
  return ("%s|%d|%s|%s|%s"):format(place.host, place.port,
    place.ssl and number_of(place.ssl) or "-", place.server_hostname or "",
    via and ("%s|%d|%s|%s"):format(via.host, via.port, via.ssl and "tls" or "",
      table.concat(via.fields, "\0")) or "")
end

local function new_place(self, to, how)
  local unix_path = self._unix_path
  local via = not unix_path and proxy_of(self, how.proxy, how.proxy_fields) or nil
  local place = {
    host = to.host, port = to.port, proxy = via, unix_path = unix_path,
    ssl = to.tls and (how.ssl or self._ssl or default_context()) or nil,
    server_hostname = to.tls and how.server_hostname or nil,
    tunnel = via and (to.tls or how.tunnel) and true or nil,
    forward = via and not (to.tls or how.tunnel) and via.fields or nil,
  }
  place.key = key_of(place)
  return place
end

--- The place of a target.
---@param to table target
---@param how table|nil ssl, server_hostname, proxy (a URL), proxy_fields (flat list), tunnel
---@return table place
function Connector:_place(to, how)
  if how then return new_place(self, to, how) end
  local place = self._places[to.origin]
  if not place then
    if self._places_n >= MOST_PLACES then self._places, self._places_n = {}, 0 end
    place = new_place(self, to, {})
    self._places[to.origin], self._places_n = place, self._places_n + 1
  end
  return place
end

-- ---- links ----

-- A new connection, in a slot that the caller has. [suspends]
local function make(self, place, trace)
  if trace then trace "connection_create_start" end
  local link = { stream = dial.open(place, self._settings, trace), place = place, uses = 0,
    connector = self, loop = core.get_running_loop() }
  if trace then
    local ok, err = pcall(trace, "connection_create_end")
    if not ok then
      link.stream:abort()
      error(err, 0)
    end
  end
  return link
end

-- `line.waits` is true as long as no slot is free.
local function acquire(self, place, seconds, trace, fresh, line)
  local function queued(waits)
    line.waits = waits
    if trace then trace(waits and "connection_queued_start" or "connection_queued_end") end
  end
  local link = self._pool:acquire(place.key, queued, fresh)
  if link then return link end
  local ok, made = pcall(function()
    if not seconds then return make(self, place, trace) end
    return timeout(seconds, make, self, place, trace)
  end)
  if ok then return made end
  self._pool:drop(place.key, core.get_running_loop())
  error(made, 0)
end

-- The limit that ends first, and its name.
local function shortest(req)
  local limits = req.limits
  local left, what = limits.connect, "connect"
  if req.deadline then
    local total = req.deadline - req.loop:time()
    if not left or total < left then left, what = total, "total" end
  end
  return left, what
end

-- The error for a request whose time has passed in `acquire`.
local function late(self, req, left, what, waits)
  local total = what == "total" and req.deadline and req.loop:time() >= req.deadline
  local connecting = not total and not waits and req.limits.sock_connect
  if connecting and not (left and left < connecting) then what = "sock_connect" end
  local made = client_timeout.passed(req,
    total and errors.ServerTimeoutError or errors.ConnectionTimeoutError, what,
    req.limits[what] or left or 0)
  if waits then made.message = ("%s: %s"):format(made.message, self._pool:shortage()) end
  return made
end

-- With the limits of the request. [suspends]
local function acquire_within(self, place, req, fresh)
  local left, what = shortest(req)
  local line = { waits = false }
  local ok, link = pcall(function()
    if not left then
      return acquire(self, place, req.limits.sock_connect, req.trace, fresh, line)
    end
    return timeout(left, acquire, self, place, req.limits.sock_connect, req.trace, fresh, line)
  end)
  if ok then return link end
  if not core.is(link, core.TimeoutError) or core.is(link, errors.ServerTimeoutError) then
    error(link, 0)
  end
  local made = late(self, req, left, what, line.waits)
  made.context = link
  error(made, 0)
end

--- A link to the place, an idle one or a new one; it is given back by _put or _drop. [suspends]
---@param place table
---@param req table the request: limits, deadline, loop, trace
---@param fresh? boolean a new one
---@return table link
function Connector:_acquire(place, req, fresh)
  local link = not fresh and self._pool:try(place.key)
  if not link then link = acquire_within(self, place, req, fresh) end
  if link.uses > 0 and req.trace then
    local ok, err = pcall(req.trace, "connection_reuseconn")
    if not ok then
      self:_drop(link)
      error(err, 0)
    end
  end
  link.uses = link.uses + 1
  return link
end

--- Takes a link back that is clean: everything was sent, and nothing has come but the response.
function Connector:_put(link) self._pool:put(link.place.key, link) end

--- Takes a link back that cannot be used again, and closes it.
function Connector:_drop(link)
  link.stream:abort()
  self._pool:drop(link.place.key, link.loop)
end

--- Leaves the connection to somebody else: it is no longer counted.
function Connector:_leave(link) self._pool:drop(link.place.key, link.loop) end

-- ---- for users ----

--- Forgets what look-ups have found: for one host and port, or all.
---@param host? string
---@param port? integer
function Connector:clear_dns_cache(host, port)
  check.self(self, Connector, "clear_dns_cache")
  self._settings.dns:clear(host, port)
end

--- Closes what close does, without waiting for the end of TLS.
function Connector:_shut()
  self.closed = true
  self._pool:close()
end

--- Closes the idle connections; those in use are closed when their requests end. Who waits for one
--- gets ClientConnectionError. May be repeated. [suspends]
function Connector:close()
  check.self(self, Connector, "close")
  if self.closed then return end
  self.closed = true
  for _, link in ipairs(self._pool:close()) do
    core.pcall(link.stream.wait_closed, link.stream)
  end
end

function Connector:__close() self:close() end

function Connector:__tostring()
  local pool = self._pool
  return ("Connector (%s%d in use, %d idle)"):format(self.closed and "closed, " or "", pool._used,
    pool._idle_count)
end

M.class = Connector

return M
