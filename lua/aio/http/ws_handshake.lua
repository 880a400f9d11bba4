-- SPDX-License-Identifier: MIT
--
-- The handshake of WebSocket, RFC 6455 section 4, for both sides: what a server looks at and
-- answers, what a client sends and expects. Nothing here reads or writes.

local core = require "aio.core"
local hc = require "aio.http.core"
local extension = require "aio.http.ws_extension"
local Headers = require("aio.http.headers").Headers

local M = {}

local GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
local VERSION = "13"

-- SHA-1 is OpenSSL's.
local function sha1(bytes)
  local ok, tls = pcall(require, "aio.tls")
  if ok then return tls._digest("sha1", bytes) end
  error(core.RuntimeError("WebSocket needs the library aio/tls.so (built with OpenSSL 3, in "
    .. "LuaRocks the rock aio-tls), which cannot be loaded: " .. tostring(tls)), 0)
end

local function accept_key(key) return hc.base64(sha1(key .. GUID)) end

-- All fields of that name as one list.
local function joined(headers, name)
  local values = headers:get_all(name)
  return values and #values > 0 and table.concat(values, ", ") or nil
end

--- Is the token in the list of a header, whatever its case?
local function has_token(headers, name, token)
  for item in (joined(headers, name) or ""):gmatch("[^,]+") do
    if (item:match "^%s*(%S+)%s*$" or ""):lower() == token then return true end
  end
  return false
end

local function changes_protocol(headers)
  return has_token(headers, "Upgrade", "websocket") and has_token(headers, "Connection", "upgrade")
end

-- The only value of a header; nil when it is missing or there are several.
local function single(headers, name)
  local values = headers:get_all(name)
  return values and #values == 1 and values[1] or nil
end

-- ---- the server ----

local function is_key(text)
  return text and #text == 24 and text:find("^[%w+/]+==$") ~= nil
end

-- "http://Host:80/" and the like as host and port, so that two can be compared.
local function host_of(origin)
  local scheme, host = origin:lower():match("^(%a[%w+.-]*)://([^/?#]+)$")
  if not host then return nil end
  if scheme == "http" then host = host:gsub(":80$", "") end
  if scheme == "https" then host = host:gsub(":443$", "") end
  return host
end

-- Does the page that asks come from the same host? A browser always says where it comes from.
local function is_same(origin, host)
  local from = host_of(origin)
  return from ~= nil and (from == host_of("http://" .. host) or from == host_of("https://" .. host))
end

-- May a page of this origin connect? `allowed`: nil (the same host), "*", a list, a function.
local function origin_ok(origin, host, allowed)
  if not origin or allowed == "*" then return true end
  if allowed == nil then return host ~= nil and is_same(origin, host) end
  if type(allowed) == "function" then return allowed(origin) end
  for _, one in ipairs(allowed) do
    if one == origin then return true end
  end
  return false
end

-- What is wrong with a request, as the name of an exception of HTTP and a text; nil: nothing.
local function refuse(req, opts)
  local headers = req.headers
  if req.method ~= "GET" then return "MethodNotAllowed", "a WebSocket begins with GET" end
  if req.minor and req.minor < 1 then return "BadRequest", "a WebSocket needs HTTP/1.1" end
  if not changes_protocol(headers) then
    return "UpgradeRequired", "this address speaks WebSocket"
  end
  if req.body_exists then return "BadRequest", "a WebSocket begins without a body" end
  if single(headers, "Sec-WebSocket-Version") ~= VERSION then
    return "UpgradeRequired", "version 13 of WebSocket is spoken here"
  end
  if not is_key(single(headers, "Sec-WebSocket-Key")) then
    return "BadRequest", "Sec-WebSocket-Key is missing or malformed"
  end
  if not origin_ok(headers:get "Origin", req.host or headers:get "Host", opts.origins) then
    return "Forbidden", "pages of this origin may not connect"
  end
end

local EXCEPTION_HEADERS = {
  UpgradeRequired = {
    Upgrade = "websocket", Connection = "Upgrade", ["Sec-WebSocket-Version"] = VERSION,
  },
  MethodNotAllowed = { Allow = "GET" },
}

-- The first protocol that the client names and the server knows.
local function choose_protocol(headers, known)
  if not known then return nil end
  for name in (joined(headers, "Sec-WebSocket-Protocol") or ""):gmatch("[^,%s]+") do
    for _, one in ipairs(known) do
      if one == name then return name end
    end
  end
end

--- Looks at a request. The head of the answer, the protocol or nil, what permessage-deflate has
--- agreed on or nil, the headers as a flat list; or nil, the name of an exception of HTTP, its text
--- and its headers.
---@param req table a request: method, minor, headers
---@param opts table protocols, origins, headers
---@param compress table|nil settings of permessage-deflate
function M.answer(req, opts, compress)
  local exception, text = refuse(req, opts)
  if exception then return nil, exception, text, EXCEPTION_HEADERS[exception] end
  local headers = req.headers
  local protocol = choose_protocol(headers, opts.protocols)
  local extensions, terms = extension.accept(joined(headers, "Sec-WebSocket-Extensions"), compress)
  local fields = {
    "Upgrade", "websocket", "Connection", "Upgrade",
    "Sec-WebSocket-Accept", accept_key(headers:get "Sec-WebSocket-Key"),
  }
  local function add(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if protocol then add("Sec-WebSocket-Protocol", protocol) end
  if extensions then add("Sec-WebSocket-Extensions", extensions) end
  if opts.headers then
    for name, value in pairs(Headers(opts.headers)) do add(name, value) end
  end
  return hc.response_head(101, nil, fields, nil, nil, hc.KEEP_ALIVE), protocol, terms, fields
end

-- ---- the client ----

--- The headers of a client's request, as a flat list, and the key.
---@param protocols table|nil
---@param compress table|nil settings of permessage-deflate
---@return table headers
---@return string key
function M.request(protocols, compress)
  local key = hc.base64(core._random(16))
  local fields = {
    "Upgrade", "websocket", "Connection", "Upgrade",
    "Sec-WebSocket-Version", VERSION, "Sec-WebSocket-Key", key,
  }
  if protocols and #protocols > 0 then
    fields[#fields + 1] = "Sec-WebSocket-Protocol"
    fields[#fields + 1] = table.concat(protocols, ", ")
  end
  if compress then
    fields[#fields + 1] = "Sec-WebSocket-Extensions"
    fields[#fields + 1] = extension.offer(compress)
  end
  return fields, key
end

local function offered(protocols, name)
  for _, one in ipairs(protocols or {}) do
    if one == name then return true end
  end
  return false
end

--- Looks at a server's answer: true, the protocol or nil, what was agreed on for compression or
--- nil; or nil and what is wrong.
function M.check(status, headers, key, protocols, compress)
  if status ~= 101 then return nil, ("the server answered with status %d"):format(status) end
  if not changes_protocol(headers) then
    return nil, "the server changed to another protocol"
  end
  if single(headers, "Sec-WebSocket-Accept") ~= accept_key(key) then
    return nil, "the header Sec-WebSocket-Accept does not answer the key"
  end
  local protocol = joined(headers, "Sec-WebSocket-Protocol")
  if protocol and not offered(protocols, protocol) then
    return nil, "the server chose a protocol that was not offered: " .. protocol
  end
  local ok, terms = extension.confirm(joined(headers, "Sec-WebSocket-Extensions"), compress)
  if not ok then return nil, "the server chose extensions that were not offered" end
  return true, protocol, terms
end

return M
