-- SPDX-License-Identifier: MIT
--
-- WebSocket for servers and for clients: the options of both, how a request becomes a connection,
-- and how one is served. What a connection does is in ws_connection.lua.

local core = require "aio.core"
local check = require "aio.check"
local connection = require "aio.http.ws_connection"
local extension = require "aio.http.ws_extension"
local handshake = require "aio.http.ws_handshake"
local origin = require "aio.origin"

local M = {
  WebSocket = connection.WebSocket, WebSocketError = connection.WebSocketError,
  WebSocketMessage = connection.WebSocketMessage,
}

local MAX_MSG_SIZE, CLOSE_SECONDS = 4 << 20, 10

-- ---- options of both sides ----

local COMMON = {
  protocols = "table", max_msg_size = "number", heartbeat = "number", compress = true,
  receive_timeout = "number", close_timeout = "number",
}

local function options_with(more)
  for name, kind in pairs(COMMON) do more[name] = kind end
  return more
end

local SERVER_OPTIONS = options_with { origins = true, headers = true }

--- The names and types of the options of a client, for those who check them among others.
M.CLIENT_OPTIONS = options_with { origin = "string" }

local function positive(opts, option, n, fn)
  local v = opts[option]
  check.arg(v == nil or v > 0, n, fn,
    ("option '%s': a positive number of seconds expected, got %s"):format(option, tostring(v)))
  return v
end

-- What `new` wants, from options that have been checked for their types.
local function settings_of(opts, n, fn)
  local max = math.tointeger(opts.max_msg_size or MAX_MSG_SIZE)
  check.arg(max and max >= 0, n, fn,
    "option 'max_msg_size': a number of bytes, or 0 for any, expected, got "
      .. tostring(opts.max_msg_size))
  return {
    max_msg_size = max, heartbeat = positive(opts, "heartbeat", n, fn),
    receive_timeout = positive(opts, "receive_timeout", n, fn),
    close_timeout = positive(opts, "close_timeout", n, fn) or CLOSE_SECONDS,
  }
end

local function check_protocols(list, n, fn)
  for i, name in ipairs(list or {}) do
    check.arg(type(name) == "string" and name:find("^[%w!#$%%&'*+%-.^_`|~]+$"), n, fn,
      ("option 'protocols': item %d is no token"):format(i))
  end
end

-- ---- the server ----

local function check_server(opts, n, fn)
  opts = check.options(opts, SERVER_OPTIONS, n, fn)
  local kind = type(opts.origins)
  check.arg(kind == "nil" or kind == "table" or kind == "function" or opts.origins == "*", n, fn,
    "option 'origins': \"*\", a list of origins or a function expected")
  check_protocols(opts.protocols, n, fn)
  return opts, settings_of(opts, n, fn), extension.settings(opts.compress, true, n, fn)
end

local function accept(req, opts, n, fn)
  local settings, compress
  opts, settings, compress = check_server(opts, n, fn)
  local head, protocol, terms, headers = handshake.answer(req, opts, compress)
  if not head then -- protocol and terms are then the exception and its text
    error(require("aio.http.exceptions")[protocol](terms, { headers = headers }), 0)
  end
  settings.protocol, settings.terms = protocol, terms
  settings.write_timeout = req._c and req._c.settings.write_timeout
  local conn = req:_take_over()
  conn:write(head)
  return connection.new(conn, false, settings), headers
end

--- Makes a WebSocket of a request, in its handler. Raises BadRequest, Forbidden (a page of another
--- origin) or UpgradeRequired when the request asks for none. [suspends]
---@param req table
---@param opts? table protocols (names, by the server), origins ("*", list or function; unset: pages
---  of the same host), compress (true), max_msg_size (4 MiB, 0: any), heartbeat (seconds),
---  receive_timeout, close_timeout (10 seconds), headers (more of the answer)
---@return table WebSocket
function M.websocket(req, opts) return (accept(req, opts, 2, "websocket")) end

--- Checks the options of a route, before there is a request.
function M.check_options(opts, n, fn) check_server(opts, n, fn) end

-- An error that only says that this connection has ended, or a group of such.
local function is_end(self, err)
  if core.is(err, M.WebSocketError) then return err.websocket == self end
  if not core.is(err, core.ExceptionGroup) or #err.errors == 0 then return false end
  for _, child in ipairs(err.errors) do
    if not is_end(self, child) then return false end
  end
  return true
end

-- What a middleware sees when all is over: the response that was sent.
local function response_of(fields)
  local pairs_of = {}
  for i = 1, #fields, 2 do pairs_of[#pairs_of + 1] = { fields[i], fields[i + 1] } end
  local res = require("aio.http.response").Response { headers = pairs_of }
  res.status = 101
  return res
end

--- Serves a request whose route is a WebSocket: `handler(ws, req)`, then the closing. [suspends]
--- Raises what the handler raises, but not that the peer has gone.
---@return table response the one that was sent, for middlewares
function M.serve(req, handler, opts)
  local self, fields = accept(req, opts, 3, "websocket")
  local ok, err = xpcall(handler, origin.note, self, req)
  local traced
  if not ok then err, traced = origin.of(err) end
  if not ok and is_end(self, err) then ok, err = true, nil end
  self:__close(err)
  if not ok then
    if traced and req._c then req._c.traced = traced end
    error(err, 0)
  end
  return response_of(fields)
end

-- ---- the client ----

--- The headers of a client's request, and what `check_response` and `client` want.
---@param opts table|nil see CLIENT_OPTIONS
---@param n integer the number of the options among the arguments of function `fn`
---@return table headers flat list
---@return table plan
function M.prepare(opts, n, fn)
  opts = opts or {}
  check_protocols(opts.protocols, n, fn)
  local plan = {
    settings = settings_of(opts, n, fn), protocols = opts.protocols,
    compress = extension.settings(opts.compress, false, n, fn),
  }
  local headers
  headers, plan.key = handshake.request(opts.protocols, plan.compress)
  return headers, plan
end

--- Looks at the answer to a client's request: true, or nil and what is wrong.
function M.check_response(plan, status, headers)
  local ok, protocol, terms = handshake.check(status, headers, plan.key, plan.protocols,
    plan.compress)
  if not ok then return nil, protocol end
  plan.settings.protocol, plan.settings.terms = protocol, terms
  return true
end

--- The client's side of a connection whose answer was looked at. `on_close` is called when the
--- connection is done with.
function M.client(conn, plan, on_close)
  plan.settings.on_close = on_close
  return connection.new(conn, true, plan.settings)
end

return M
