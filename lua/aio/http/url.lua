-- SPDX-License-Identifier: MIT
--
-- http.URL: a URL that does not change, in its one spelling, and others made of it. The work is in
-- src/proto/url.c. Invariant: `_href` is what hc.url made, the other raw fields are its parts.

local hc = require "aio.http.core"
local check = require "aio.check"
local query = require "aio.http.query"

local M = {}

local MOST_SHOWN = 80 -- bytes of a text that is told of in an error

local URL = { __name = "aio.http.URL" }

local DEFAULT_PORTS = { http = 80, https = 443, ws = 80, wss = 443 }

-- A text from anywhere, for a message: short, printable, without a password.
local function shown(text)
  text = text:sub(1, 4 * MOST_SHOWN):gsub("//[^/?#]*@", "//***@", 1)
  if #text > MOST_SHOWN then text = text:sub(1, MOST_SHOWN) .. "..." end
  return (text:gsub("[^\32-\126]", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local function refuse(text, why)
  check.state(("'%s' is no URL: %s"):format(shown(text), why),
    require("aio.http.errors").InvalidURL)
end

local function make(text, base)
  local href, scheme, user, password, host, port, written, path, query_string, fragment =
    hc.url(text, base)
  if not href then refuse(text, scheme) end
  return setmetatable({
    _href = href, _scheme = scheme, _user = user, _password = password, _host = host, _port = port,
    _written = written, _path = path, _query = query_string, _fragment = fragment,
  }, URL)
end

-- ---- fields ----

local decode = hc.percent_decode

local fields = {}

function fields.scheme(self) return self._scheme end

function fields.user(self) return self._user and decode(self._user) end

function fields.password(self) return self._password and decode(self._password) end

--- The host; that of an IPv6 address without its brackets.
function fields.host(self) return (self._host:gsub("^%[(.*)%]$", "%1")) end

function fields.port(self) return self._port end

--- What a Host header says: the host, and the port when it is not the scheme's own.
function fields.authority(self)
  return self._written and ("%s:%d"):format(self._host, self._port) or self._host
end

function fields.path(self) return decode(self._path) end

function fields.raw_path(self) return self._path end

function fields.query_string(self) return self._query or "" end

--- Its fields, made anew each time.
function fields.query(self) return query.parse_query(self._query or "") end

function fields.fragment(self) return self._fragment and decode(self._fragment) end

--- What a request line asks for: path and query.
function fields.target(self)
  return self._query and ("%s?%s"):format(self._path, self._query) or self._path
end

function fields.is_secure(self) return self._scheme == "https" or self._scheme == "wss" end

function fields.is_default_port(self) return self._port == DEFAULT_PORTS[self._scheme] end

function URL.__index(self, name)
  local method = URL[name]
  if method ~= nil then return method end
  local field = fields[name]
  return field and field(self)
end

function URL.__newindex(_, name)
  check.state(("a URL does not change: set of '%s' (url:join and url:with_... make others)")
    :format(tostring(name)))
end

function URL.__tostring(self) return self._href end

function URL.__eq(a, b)
  return getmetatable(a) == URL and getmetatable(b) == URL and a._href == b._href
end

function URL.__concat(a, b) return tostring(a) .. tostring(b) end

--- url / "a b": with one more segment, which is encoded.
function URL.__div(self, segment)
  check.arg(getmetatable(self) == URL, 1, "/", "a URL expected on the left side")
  check.arg(type(segment) == "string", 2, "/", "string expected, got " .. type(segment))
  local path = self._path:gsub("/$", "")
  return make(path .. "/" .. hc.percent_encode(segment, "segment"), self._href)
end

-- ---- methods ----

--- Scheme, host and port, as a string: two URLs with the same have the same owner.
---@return string
function URL:origin()
  check.self(self, URL, "origin")
  return self._scheme .. "://" .. self.authority
end

--- What a reference on the page of this URL means: "x.html", "../y", "//host/", "?q", or a URL.
---@param ref string|table
---@return table url
function URL:join(ref)
  check.self(self, URL, "join")
  if getmetatable(ref) == URL then return ref end
  check.arg(type(ref) == "string", 1, "join", "string or URL expected, got " .. type(ref))
  return make(ref, self._href)
end

-- The URL up to its path, with what shall follow.
local function rebuilt(self, path, query_string, fragment, credentials)
  local parts = { self._scheme, "://" }
  if credentials then parts[#parts + 1] = credentials end
  parts[#parts + 1] = self.authority
  parts[#parts + 1] = path
  if query_string then parts[#parts + 1] = "?" .. query_string end
  if fragment then parts[#parts + 1] = "#" .. fragment end
  return make(table.concat(parts))
end

local function credentials_of(self)
  if not (self._user or self._password) then return nil end
  return ("%s%s@"):format(self._user or "", self._password and ":" .. self._password or "")
end

--- With these fields for its query, in place of those that it has.
---@param params table|string|nil a map, a list of { name, value }, a MultiDict, or a query as it
---shall stand; nil: no query
---@return table url
function URL:with_query(params)
  check.self(self, URL, "with_query")
  local text = params ~= nil and query.encode_query(params, 1, "with_query") or nil
  if text then text = text:gsub("#", "%%23") end
  return rebuilt(self, self._path, text, self._fragment, credentials_of(self))
end

--- With these fields behind those that its query has.
---@param params table|string as for with_query
---@return table url
function URL:extend_query(params)
  check.self(self, URL, "extend_query")
  local text = query.encode_query(params, 1, "extend_query")
  if text == "" then return self end
  local before = self._query
  if before and before ~= "" then text = before .. "&" .. text end
  return rebuilt(self, self._path, (text:gsub("#", "%%23")), self._fragment, credentials_of(self))
end

--- With another path, and without query and fragment.
---@param path string not encoded; "/" parts its segments
---@return table url
function URL:with_path(path)
  check.self(self, URL, "with_path")
  check.arg(type(path) == "string", 1, "with_path", "string expected, got " .. type(path))
  local encoded = hc.percent_encode((path:gsub("^/", "")), "segment"):gsub("%%2F", "/")
  return rebuilt(self, "/" .. encoded, nil, nil, credentials_of(self))
end

--- With another fragment, or without one.
---@param fragment string|nil not encoded
---@return table url
function URL:with_fragment(fragment)
  check.self(self, URL, "with_fragment")
  check.arg(fragment == nil or type(fragment) == "string", 1, "with_fragment",
    "string expected, got " .. type(fragment))
  if not fragment and not self._fragment then return self end
  local text = fragment and hc.percent_encode(fragment, "component")
  return rebuilt(self, self._path, self._query, text, credentials_of(self))
end

--- With another scheme; a port that is written stays.
---@param scheme string "http", "https", "ws" or "wss"
---@return table url
function URL:with_scheme(scheme)
  check.self(self, URL, "with_scheme")
  check.arg(DEFAULT_PORTS[scheme], 1, "with_scheme", "http, https, ws or wss expected")
  return make(scheme .. self._href:sub(#self._scheme + 1))
end

--- With other credentials, or without any.
---@param user string|nil not encoded
---@param password string|nil
---@return table url
function URL:with_user(user, password)
  check.self(self, URL, "with_user")
  if not user and not (self._user or self._password) then return self end
  local text
  if user then
    text = hc.percent_encode(user, "component")
    if password then text = text .. ":" .. hc.percent_encode(password, "component") end
    text = text .. "@"
  end
  return rebuilt(self, self._path, self._query, self._fragment, text)
end

local Class = {}
setmetatable(URL, Class)

--- Reads a URL as browsers do. Raises InvalidURL.
---@param text string|table of the schemes http, https, ws, wss; a URL is returned as it is
---@param base? string|table what a relative one is relative to
---@return table url
function Class.__call(_, text, base)
  if getmetatable(text) == URL then return text end
  check.arg(type(text) == "string", 1, "URL", "string or URL expected, got " .. type(text))
  if base == nil then return make(text) end
  if getmetatable(base) ~= URL then
    check.arg(type(base) == "string", 2, "URL", "string or URL expected, got " .. type(base))
    base = make(base)
  end
  return make(text, base._href)
end

M.URL = URL

--- Percent-encodes text for a place in a URL.
---@param text string
---@param where? string "component" (all but letters, digits and "-._~"), "segment", "path",
---"query", "fragment", "userinfo" or "form"
---@return string
M.percent_encode = hc.percent_encode

--- Undoes percent-encoding; what is no valid sequence stays.
---@param text string
---@param kind? string "form": "+" is a space
---@return string
M.percent_decode = hc.percent_decode

return M
