-- SPDX-License-Identifier: MIT
--
-- Sites: where a runner's application is served. Each is a server of aio whose connections run
-- aio.http.serve.

local address = require "aio.address"
local check = require "aio.check"
local server = require "aio.server"
local runner = require "aio.http.runner"
local serve = require "aio.http.serve"

local M = {}

--- A place where an application is served. Fields: `runner`, `name` (a URL, after the start).
---@class Site
local Site = { __name = "Site" }
Site.__index = Site

local function check_runner(r, name)
  check.arg(getmetatable(r) == runner.class, 1, name, "AppRunner expected, got " .. type(r))
end

local TLS_ONLY = { "cert", "key" }

--- A context for the option `ssl`: one, or a table of the options of one.
---@param ssl any
---@param n integer the number of the options among the arguments of function `name`
---@return any
function M.context(ssl, n, name)
  if type(ssl) ~= "table" then return ssl end
  for _, option in ipairs(TLS_ONLY) do
    check.arg(ssl[option], n, name, ("option 'ssl': '%s' is missing"):format(option))
  end
  return require("aio.stream").ssl_context(ssl)
end

-- The options with a context.
local function checked(opts, known, n, name)
  opts = check.options(opts, known, n, name)
  if opts.ssl == nil then return opts end
  local copy = {}
  for k, v in pairs(opts) do copy[k] = v end
  copy.ssl = M.context(opts.ssl, n, name)
  return copy
end

local function new(r, kind, start, secure)
  return setmetatable({ runner = r, _start = start, _kind = kind, _secure = secure }, Site)
end

local TCP = { backlog = "number", reuse_port = "boolean", max_connections = "number", ssl = true,
  ssl_handshake_timeout = "number", family = "string" }

--- Serves at a TCP port. Host nil: all interfaces; port nil: 8080, 8443 with ssl; 0: a free one.
---@param r AppRunner
---@param host? string|table
---@param port? integer
---@param opts? table ssl (a context, or a table of its options), backlog, reuse_port,
---  max_connections, family, ssl_handshake_timeout
---@return Site
function M.TCPSite(r, host, port, opts)
  check_runner(r, "TCPSite")
  opts = checked(opts, TCP, 4, "TCPSite")
  port = port or (opts.ssl and 8443 or 8080)
  address.check_port(port, 3, "TCPSite")
  server.hosts_of(host, 2, "TCPSite")
  return new(r, "tcp", function(handler)
    return server.start_server(handler, host, port, opts)
  end, opts.ssl ~= nil)
end

local UNIX = { backlog = "number", max_connections = "number", ssl = true,
  ssl_handshake_timeout = "number" }

--- Serves at a Unix socket.
---@param r AppRunner
---@param path string
---@param opts? table ssl, backlog, max_connections, ssl_handshake_timeout
---@return Site
function M.UnixSite(r, path, opts)
  check_runner(r, "UnixSite")
  opts = checked(opts, UNIX, 3, "UnixSite")
  check.arg(type(path) == "string", 2, "UnixSite", "path expected, got " .. type(path))
  return new(r, "unix", function(handler)
    return server.start_unix_server(handler, path, opts)
  end, opts.ssl ~= nil)
end

--- Serves at a socket that is bound already: an aio.socket or a descriptor.
---@param r AppRunner
---@param sock table|integer
---@param opts? table ssl, backlog, max_connections, ssl_handshake_timeout
---@return Site
function M.SockSite(r, sock, opts)
  check_runner(r, "SockSite")
  opts = checked(opts, UNIX, 3, "SockSite")
  check.arg(sock ~= nil, 2, "SockSite", "socket or descriptor expected")
  return new(r, "sock", function(handler)
    local all = { sock = sock }
    for k, v in pairs(opts) do all[k] = v end
    return server.start_server(handler, all)
  end, opts.ssl ~= nil)
end

local function name_of(self)
  local host, port = self._server.sockets[1]:getsockname()
  local scheme = self._secure and "https" or "http"
  if not port then return ("%s://unix:%s:"):format(scheme, host) end
  return ("%s://%s"):format(scheme, address.format { host = host, port = port })
end

--- Begins to listen. The runner must have been set up. [suspends] Raises OSError.
function Site:start()
  check.self(self, Site, "start")
  local r = self.runner
  if r._state ~= "running" then
    check.state(r._state == "new" and "set the runner up first: runner:setup()"
      or "this runner has ended; make another one")
  end
  if self._server then check.state "this site has been started already" end
  local settings, secure = r._settings, self._secure
  self._server = self._start(function(conn) return serve.serve(settings, conn, secure) end)
  self.port = self._server.port
  self.name = name_of(self)
  r.sites[#r.sites + 1] = self
end

--- Stops listening; open connections stay. May be repeated.
function Site:stop()
  check.self(self, Site, "stop")
  if self._server then self._server:close() end
end

function Site:__tostring() return ("Site (%s)"):format(self.name or "not started") end

return M
