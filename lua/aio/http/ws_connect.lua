-- SPDX-License-Identifier: MIT
--
-- ClientSession:ws_connect: a request that asks for the other protocol, and what becomes of its
-- connection when the server agrees. The protocol itself is in websocket.lua.

local check = require "aio.check"
local client_request = require "aio.http.client_request"
local errors = require "aio.http.errors"
local target = require "aio.http.target"

local M = {}

-- Options of a request that the one for a WebSocket cannot have.
local NO_BODY = { "data", "json", "form", "multipart", "expect100", "on_progress" }

-- All names that there are, for the message about one that there is not.
local function options_of(known, options)
  local all = {}
  for key in pairs(options) do all[key] = true end
  for _, key in ipairs(NO_BODY) do all[key] = nil end
  for key in pairs(known) do all[key] = true end
  return all
end

-- The options of the request and those of the WebSocket, which are checked.
local function split(opts, known, options)
  local ours, request = {}, {}
  for key, value in pairs(opts or {}) do
    if known[key] then ours[key] = value else request[key] = value end
  end
  check.options(ours, known, 2, "ws_connect")
  for _, option in ipairs(NO_BODY) do
    check.arg(request[option] == nil, 2, "ws_connect",
      ("option '%s': the request for a WebSocket has no body"):format(option))
  end
  check.options(request, options_of(known, options), 2, "ws_connect")
  return ours, request
end

-- ws and wss are http and https until the server has agreed.
local function http_url(url)
  local text = target.text(url, 1, "ws_connect")
  return (text:gsub("^%s*[wW][sS]([sS]?):", "http%1:"))
end

local function refuse(res, why)
  res:release()
  error(errors.WSServerHandshakeError(("%s: %s"):format(res._target.text, why), res:_facts()), 0)
end

--- See ClientSession:ws_connect.
---@param perform function the session's way of a request
---@param options table names of the options that a request has
function M.connect(session, url, opts, perform, options)
  local websocket = require "aio.http.websocket"
  local ours, request = split(opts, websocket.CLIENT_OPTIONS, options)
  local offer, plan = websocket.prepare(ours, 2, "ws_connect")
  local fields = {}
  for i = 1, #offer, 2 do fields[#fields + 1] = { offer[i], offer[i + 1] } end
  if ours.origin then fields[#fields + 1] = { "Origin", ours.origin } end
  if request.headers ~= nil then
    local flat = client_request.flatten(request.headers, 2, "ws_connect")
    for i = 1, #flat, 2 do fields[#fields + 1] = { flat[i], flat[i + 1] } end
  end
  request.headers = fields
  local res = perform(session, "GET", http_url(url), request, "ws_connect", 2)
  if res.status ~= 101 then
    refuse(res, ("the server answered %d, not 101"):format(res.status))
  end
  local ok, message = websocket.check_response(plan, res.status, res.headers)
  if not ok then refuse(res, message) end
  local stream, done = res:_take_over()
  return websocket.client(stream, plan, done)
end

return M
