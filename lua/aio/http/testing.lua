-- SPDX-License-Identifier: MIT
--
-- For tests of applications: a server at a free port, a client for it, a connection that sends any
-- bytes, and requests that never were on a network. Not loaded by the server itself.

require "aio" -- says which lines are not the caller's
local core = require "aio.core"
local check = require "aio.check"
local stream = require "aio.stream"
local http_core = require "aio.http.core"
local application = require "aio.http.application"
local content = require "aio.http.content"
local headers = require "aio.http.headers"
local request = require "aio.http.request"
local runner = require "aio.http.runner"
local site = require "aio.http.site"

local M = {}

local function check_app(app, name, wanted)
  check.arg(getmetatable(app) == application.class, 1, name,
    wanted .. " expected, got " .. type(app))
end

local HOST = "127.0.0.1"
local PATIENCE_S = 1 -- with handlers that still run when a server is closed

-- ---- raw bytes ----

--- A connection to a server. Fields: `conn` (the stream).
---@class RawClient
local Raw = { __name = "RawClient" }
Raw.__index = Raw

--- Sends bytes as they are. [suspends]
---@param ... string
---@return RawClient self
function Raw:send(...)
  self.conn:write(...)
  return self
end

local function read_head(conn)
  local text = conn:readuntil "\r\n\r\n"
  local version, status, reason = text:match "^HTTP/(%d%.%d) (%d%d%d) ([^\r\n]*)\r\n"
  if not version then
    error(core.RuntimeError(("no status line: %q"):format(text:sub(1, 80))), 0)
  end
  local h = headers.Headers()
  for name, value in text:gmatch "\r\n([^:\r\n]+): ?([^\r\n]*)" do h:add(name, value) end
  return { version = version, status = tonumber(status), reason = reason, headers = h }
end

local function read_chunks(conn)
  local parts = {}
  while true do
    local size = tonumber(conn:readuntil("\r\n"):match "^%x+", 16)
    if size == 0 then break end
    parts[#parts + 1] = conn:readexactly(size)
    conn:readexactly(2)
  end
  conn:readexactly(2)
  return table.concat(parts)
end

--- Reads one response: a table with `version`, `status`, `reason`, `headers`, `body`; informational
--- ones are in `interim`. Nil at the end of the connection. [suspends]
---@param method? string "HEAD": the response has no body
---@return table|nil
function Raw:response(method)
  local interim, conn = {}, self.conn
  local first = conn:read(1)
  if not first then return nil end
  -- what was read belongs to the head
  local function readuntil(_, sep) return first .. conn:readuntil(sep) end
  local res = read_head { readuntil = readuntil }
  while res.status < 200 and res.status ~= 101 do
    interim[#interim + 1] = res
    res = read_head(conn)
  end
  res.interim = interim
  local length = tonumber(res.headers["content-length"])
  local status = res.status
  if method == "HEAD" or status == 204 or status == 304 or status == 101 then
    res.body = ""
  elseif res.headers["transfer-encoding"] == "chunked" then
    res.body = read_chunks(conn)
  elseif length then
    res.body = length > 0 and conn:readexactly(length) or ""
  else
    res.body = conn:read "a"
  end
  return res
end

--- Sends a request, and reads its response. [suspends]
---@param text string all of its bytes
---@return table|nil
function Raw:ask(text) return self:send(text):response(text:match "^%u+") end

--- Everything up to the end of the connection. [suspends]
---@return string
function Raw:rest() return self.conn:read "a" end

--- Has the server closed the connection, with nothing left to read? [suspends]
---@return boolean
function Raw:is_over()
  local ok, data = core.catch(core.OSError, self.conn.read, self.conn, 1)
  return not ok or data == nil
end

--- Closes the connection.
function Raw:close() self.conn:close() end

function Raw:__close()
  self.conn:close()
  pcall(self.conn.wait_closed, self.conn)
end

--- The same over any connected stream.
---@param conn table stream
---@return RawClient
function M.raw(conn) return setmetatable({ conn = conn }, Raw) end

-- ---- a server ----

--- A server of an application at a free port of the loopback. Fields: `app`, `runner`, `host`,
--- `port`, `scheme`.
---@class TestServer
local Server = { __name = "TestServer" }
Server.__index = Server

--- Starts an application at a free port. [suspends]
---@param app Application
---@param opts? table those of AppRunner (shutdown_timeout is 1 unless given: no test waits long for
---  a handler whose client has gone), and ssl (a context, or a table of its options)
---@return TestServer
function M.TestServer(app, opts)
  check_app(app, "TestServer", "Application")
  local rest, ssl = { shutdown_timeout = PATIENCE_S }, nil
  for k, v in pairs(opts or {}) do
    if k == "ssl" then ssl = site.context(v, 2, "TestServer") else rest[k] = v end
  end
  local r = runner.AppRunner(app, rest)
  r:setup()
  local s = site.TCPSite(r, HOST, 0, { ssl = ssl })
  s:start()
  return setmetatable({
    app = app, runner = r, host = HOST, port = s.port, scheme = ssl and "https" or "http",
  }, Server)
end

local function check_path(path, n, name)
  check.arg(type(path) == "string" and path:find "^/", n, name,
    "a path that begins with / expected, got " .. (type(path) == "string"
      and ("'%s'"):format(path) or type(path)))
end

--- The whole URL of a path.
---@param path string
---@return string
function Server:make_url(path)
  check_path(path, 1, "make_url")
  return ("%s://%s:%d%s"):format(self.scheme, HOST, self.port, path)
end

--- A connection to the server, for bytes as one likes. [suspends]
---@param opts? table those of open_connection
---@return RawClient
function Server:connect(opts)
  return M.raw(stream.open_connection(HOST, self.port, opts))
end

--- Ends the server gracefully. [suspends]
function Server:close() self.runner:cleanup() end

Server.__close = Server.close

-- ---- a client ----

--- A client of a server, with a session. Fields: `server`, `session`.
---@class TestClient
local Client = { __name = "TestClient" }
Client.__index = Client

-- The options of the session: its jar takes the cookies of an address, which the server's host is.
local function session_options(opts)
  if opts ~= nil and type(opts) ~= "table" or opts and opts.cookie_jar ~= nil then return opts end
  local all = { cookie_jar = require("aio.http").CookieJar { unsafe = true } }
  for k, v in pairs(opts or {}) do all[k] = v end
  return all
end

--- A session for an application, which is served at a free port, or for a TestServer. [suspends]
---@param app Application|TestServer
---@param opts? table those of ClientSession; cookie_jar is CookieJar{unsafe=true} unless given, so
---  that the server's cookies come back to it
---@return TestClient
function M.TestClient(app, opts)
  local server, owned = app, false
  if getmetatable(app) ~= Server then
    check_app(app, "TestClient", "Application or TestServer")
    server, owned = M.TestServer(app), true
  end
  local session = require("aio.http").ClientSession(session_options(opts))
  return setmetatable({ server = server, session = session, _owned = owned }, Client)
end

local function url_of(self, path, n, name)
  check_path(path, n, name)
  return self.server:make_url(path)
end

--- A request to a path of the server; see ClientSession:request. [suspends]
---@param method string
---@param path string
---@param opts? table
---@return table response
function Client:request(method, path, opts)
  check.self(self, Client, "request")
  return self.session:request(method, url_of(self, path, 2, "request"), opts)
end

for _, verb in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
  Client[verb] = function(self, path, opts)
    check.self(self, Client, verb)
    return self.session[verb](self.session, url_of(self, path, 1, verb), opts)
  end
end

--- A WebSocket to a path of the server; see ClientSession:ws_connect. [suspends]
---@param path string
---@param opts? table
---@return table WebSocket
function Client:ws_connect(path, opts)
  check.self(self, Client, "ws_connect")
  local url = url_of(self, path, 1, "ws_connect"):gsub("^http", "ws")
  return self.session:ws_connect(url, opts)
end

--- Closes the session, and the server when it was started here. [suspends]
function Client:close()
  self.session:close()
  if self._owned then self.server:close() end
end

Client.__close = Client.close

-- ---- requests without a network ----

local Nowhere = {}
Nowhere.__index = Nowhere

function Nowhere:peer() return self.remote end

function Nowhere:is_secure() return self.secure end

function Nowhere:content()
  local body = self.body
  self.body = nil
  return content.new(function()
    local data = body
    body = nil
    return data ~= "" and data or nil
  end)
end

-- What a request without a connection knows of one.
local no_stream = {}

function no_stream.get_extra_info(_, _, default) return default end

local OPTIONS = {
  headers = true, body = "string", app = true, match_info = "table", remote = "string",
  scheme = "string", version = "string",
}

--- A request to call a handler with.
---@param method string
---@param target string path and query
---@param opts? table headers, body, app, match_info, remote ("127.0.0.1"), scheme ("http"),
---  version ("1.1")
---@return table request
function M.request(method, target, opts)
  opts = check.options(opts, OPTIONS, 3, "request")
  local body = opts.body or ""
  return request.new {
    method = method, raw_path = target,
    headers = headers.Headers(opts.headers), minor = opts.version == "1.0" and 0 or 1,
    match_info = opts.match_info, route = { app = opts.app, method = method, path = target },
    _length = #body, _c = setmetatable({
      remote = opts.remote or HOST, secure = opts.scheme == "https", body = body,
      flags = http_core.KEEP_ALIVE, quit = false, conn = no_stream,
      settings = {},
    }, Nowhere),
  }
end

return M
