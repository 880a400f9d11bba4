-- SPDX-License-Identifier: MIT
--
-- Proxies: which one a request goes through by the environment, and the tunnel that one opens
-- (CONNECT). How a request looks that goes through one without a tunnel is in client_request.lua.

local core = require "aio.core"
local hc = require "aio.http.core"
local errors = require "aio.http.errors"
local target = require "aio.http.target"

local M = {}

-- Without these in the environment, a program that is run by a web server for a request would take
-- a header "Proxy:" of that request for its own setting.
local function http_proxy()
  return os.getenv "http_proxy" or not os.getenv "REQUEST_METHOD" and os.getenv "HTTP_PROXY" or nil
end

local function variable(name) return os.getenv(name:lower()) or os.getenv(name) end

-- Does an entry of NO_PROXY mean this host?
local function means(entry, host, port)
  if entry == "*" then return true end
  local name, wanted = entry:match "^(.-):(%d+)$"
  if name and not name:find(":", 1, true) then
    if tonumber(wanted) ~= port then return false end
    entry = name
  end
  entry = entry:gsub("^%*?%.", ""):gsub("^%[(.*)%]$", "%1")
  return host == entry or (host:sub(-#entry - 1) == "." .. entry and not core._numeric(host, 0))
end

--- Is the host one that NO_PROXY names?
---@param list string|nil names, with commas or spaces between; a name means those below it too
---@param host string
---@param port integer
---@return boolean
function M.bypassed(list, host, port)
  for entry in (list or ""):gmatch "[^,%s]+" do
    if means(entry:lower(), host, port) then return true end
  end
  return false
end

--- The proxy that the environment names for a target, or nil: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY
--- but for NO_PROXY; names in lower case come first.
---@return string|nil url
function M.from_environment(to)
  if M.bypassed(variable "NO_PROXY", to.host, to.port) then return nil end
  local url
  if to.tls then url = variable "HTTPS_PROXY" else url = http_proxy() end
  if not url or url == "" then url = variable "ALL_PROXY" end
  if not url or url == "" then return nil end
  return url:find("://", 1, true) and url or "http://" .. url
end

--- The target of a proxy. Raises InvalidURL.
function M.parse(url)
  local to = target.parse(url)
  if to.scheme ~= "http" and to.scheme ~= "https" then
    error(errors.InvalidURL("a proxy has a URL of http or https", { url = url }), 0)
  end
  return to
end

local function refused(place, status, reason, headers)
  return errors.ClientHttpProxyError(("proxy %s:%d refused the tunnel to %s:%d: %d %s"):format(
    place.proxy.host, place.proxy.port, place.host, place.port, status, reason),
    { status = status, headers = headers, reason = reason })
end

-- The bytes after the head belong to TLS, and stay in the stream.
local function read_answer(stream, parser, place)
  parser:begin "CONNECT"
  if not core._feed(stream, parser) then
    error(errors.ServerDisconnectedError(("proxy %s:%d closed the connection before it answered")
      :format(place.proxy.host, place.proxy.port)), 0)
  end
  local headers, status, reason = parser:head()
  if not headers then
    error(errors.BadResponse(("proxy %s:%d sent no HTTP: %s"):format(place.proxy.host,
      place.proxy.port, reason)), 0)
  end
  parser:next()
  return headers, status, reason
end

local MOST_INTERIM = 20 -- answers 1xx

--- Opens a tunnel through the proxy at the other end of `stream`. [suspends] Raises
--- ClientHttpProxyError when it is refused.
---@param stream table
---@param place table host and port of the end, proxy with its headers
function M.tunnel(stream, place)
  local at = place.host:find(":", 1, true) and "[" .. place.host .. "]" or place.host
  at = ("%s:%d"):format(at, place.port)
  stream:write(hc.request_head("CONNECT", at, at, place.proxy.fields, nil, nil, hc.KEEP_ALIVE))
  local parser = hc.parser "response"
  for _ = 1, MOST_INTERIM do
    local headers, status, reason = read_answer(stream, parser, place)
    if status >= 200 and status < 300 then return end
    if status >= 200 then error(refused(place, status, reason, headers), 0) end
  end
  error(errors.BadResponse "the proxy sends interim answers without end", 0)
end

return M
