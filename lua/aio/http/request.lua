-- SPDX-License-Identifier: MIT
--
-- Requests as handlers see them: a table whose parts are made when they are asked for and then
-- kept. Made by aio.http.serve (and by aio.http.testing); any other key is free for middlewares.

local core = require "aio.core"
local check = require "aio.check"
local http_core = require "aio.http.core"
local errors = require "aio.http.errors"
local exceptions = require "aio.http.exceptions"
local router = require "aio.http.router"

local M = {}

--- A request. Fields: `method`, `headers` (cannot be changed), `raw_path` (path and query as
--- sent), `path` (decoded), `query_string`, `query` (multi-map), `match_info`, `cookies`, `remote`,
--- `host`, `scheme`, `secure`, `version`, `keep_alive`, `content` (the body as a stream),
--- `body_exists`, `content_type`, `charset`, `content_length`, `if_modified_since`,
--- `if_unmodified_since` (seconds since 1970), `if_match`, `if_none_match`, `if_range`, `range`,
--- `route`, `app`, `config_dict`.
---@class Request
local methods = {}
local Request = { __name = "Request" }
M.class = Request

-- What is made when it is asked for, and then kept: name -> function(req).
local lazy = {}

function Request.__index(self, key)
  local method = methods[key]
  if method then return method end
  local make = lazy[key]
  if not make then return nil end
  local value = make(self)
  if value ~= nil then rawset(self, key, value) end
  return value
end

function Request.__tostring(self) return ("Request: %s %s"):format(self.method, self._path) end

--- A request of a connection.
---@param parts table becomes the request
---@return Request
function M.new(parts) return setmetatable(parts, Request) end

-- ---- the request line ----

-- The path as it was sent, without the query.
function lazy._path(req)
  local target = req.raw_path
  local path = target:match "^[^?]*"
  if path:byte() ~= 47 then -- "http://host/path"
    local rest = path:match "^%a[%w+.-]*://[^/]*(.*)$"
    if rest then return rest == "" and "/" or rest end
  end
  return path
end

function lazy.path(req) return router.decode(req._path) end

function lazy.query_string(req) return req.raw_path:match "%?(.*)$" or "" end

-- BadRequest (400) when it has more than 1000 fields: a client did that, no handler.
function lazy.query(req) return require("aio.http.form").query(req.query_string) end

function lazy.match_info() return {} end

function lazy.version(req) return req.minor == 0 and "1.0" or "1.1" end

function lazy.app(req) return req.route.app end

-- Values of an application, or of the nearest one around it that has them: not the methods of the
-- class.
local function values_of(app)
  return setmetatable({}, {
    __name = "ConfigDict",
    __index = function(_, key)
      local at = app
      while at do
        local value = rawget(at, key)
        if value ~= nil then return value end
        at = rawget(at, "_parent")
      end
    end,
    __newindex = function(_, key)
      check.state(("config_dict is for reading; set it in an application: req.app.%s = ...")
        :format(tostring(key)))
    end,
  })
end

function lazy.config_dict(req) return values_of(req.app) end

-- What the connection knows of the request: the loop spares the making of these fields.
function lazy.minor(req) return req._c.flags & http_core.HTTP10 ~= 0 and 0 or 1 end

function lazy._length() return 0 end

function lazy.keep_alive(req)
  return req._c.flags & http_core.KEEP_ALIVE ~= 0 and not req._c.quit
end

-- BadRequest (400) when Host and target make none: not all that can stand in Host can be in a URL.
function lazy.url(req)
  local path, host = req._path, req.host
  local text = ("%s://%s%s%s"):format(req.scheme, host ~= "" and host or "localhost",
    path:byte() == 47 and path or "/", req.raw_path:match "%?.*$" or "")
  local ok, url = core.catch(errors.InvalidURL, require("aio.http").URL, text)
  if not ok then error(exceptions.BadRequest(), 0) end
  return url
end

-- ---- who asks ----

local function forwarded(req)
  local rules = req._c.settings.forwarded
  if not rules then return nil end
  local found = rawget(req, "_forwarded")
  if found == nil then
    found = rules(req, req._c:peer()) or false
    rawset(req, "_forwarded", found)
  end
  return found or nil
end

function lazy.remote(req)
  local told = forwarded(req)
  return told and told.remote or req._c:peer()
end

function lazy.scheme(req)
  local told = forwarded(req)
  return told and told.scheme or req._c:is_secure() and "https" or "http"
end

function lazy.secure(req) return req.scheme == "https" end

function lazy.host(req)
  local told = forwarded(req)
  if told and told.host then return told.host end
  local authority = req.raw_path:match "^%a[%w+.-]*://([^/?#]*)"
  return authority or req.headers.host or ""
end

-- ---- headers ----

function lazy.cookies(req)
  local all = {}
  for _, line in ipairs(req.headers:get_all "cookie") do
    for name, value in pairs(require("aio.http").parse_cookie(line)) do
      if all[name] == nil then all[name] = value end
    end
  end
  return all
end

-- Type and parameters of a Content-Type.
local function media_type(req)
  local line = req.headers["content-type"]
  if not line then return nil, {} end
  local kind = line:match "^%s*([^;%s]*)"
  local params = {}
  for name, value in line:gmatch ';%s*([%w!#$&%-^_.+]+)%s*=%s*("?[^";]*)' do
    params[name:lower()] = params[name:lower()] or value:gsub('^"', "")
  end
  return kind:lower(), params
end

function lazy.content_type(req) return (media_type(req)) or "application/octet-stream" end

function lazy.charset(req)
  local _, params = media_type(req)
  return params.charset and params.charset:lower()
end

function lazy.content_length(req) return req._length >= 0 and req._length or nil end

function lazy.body_exists(req) return req._length ~= 0 end

local function date(name)
  return function(req)
    local line = req.headers[name]
    return line and require("aio.http").parse_date(line) or nil
  end
end

lazy.if_modified_since = date "if-modified-since"
lazy.if_unmodified_since = date "if-unmodified-since"

-- A list of entity tags: { value=, weak= }, or "*".
local function etags(name)
  return function(req)
    local lines = req.headers:get_all(name)
    if #lines == 0 then return nil end
    local text = table.concat(lines, ", ")
    if text:match "^%s*%*%s*$" then return "*" end
    local list = {}
    for weak, value in text:gmatch '([Ww]?/?)"([^"]*)"' do
      list[#list + 1] = { value = value, weak = weak ~= "" }
    end
    return list
  end
end

lazy.if_match = etags "if-match"
lazy.if_none_match = etags "if-none-match"

--- A date (seconds), or an entity tag as text with its quotes.
function lazy.if_range(req)
  local line = req.headers["if-range"]
  if not line then return nil end
  return line:find '"' and line or require("aio.http").parse_date(line) or nil
end

--- One range of bytes that was asked for: { first=, last= } of `bytes=first-last`; without `first`
--- the last so many bytes; nil when none, or more than one, was.
function lazy.range(req)
  local line = req.headers.range
  -- one after the other: runs of blanks shall be looked at once, not once for each way to part them
  local unit, spec = (line or ""):match "^%s*(%a+)%s*=(.*)$"
  if not unit or unit:lower() ~= "bytes" then return nil end
  local first, last, rest = spec:match "^%s*(%d*)%-(%d*)(.*)$"
  if not first or first == "" and last == "" or rest:find "%S" then return nil end
  if #first > 18 or #last > 18 then return nil end
  local range = { first = math.tointeger(tonumber(first)), last = math.tointeger(tonumber(last)) }
  if range.first and range.last and range.last < range.first then return nil end
  return range
end

-- ---- the body ----

function lazy.content(req) return req._c:content(req) end

-- The whole body, at most `max` bytes.
local function read_all(req, max)
  if req._length > max then error(exceptions.RequestEntityTooLarge(), 0) end
  if req._length == 0 then return "" end
  local content, parts, size = req.content, {}, 0
  while true do
    local data = content:readany()
    if not data then break end
    size = size + #data
    if size > max then error(exceptions.RequestEntityTooLarge(), 0) end
    parts[#parts + 1] = data
  end
  return #parts == 1 and parts[1] or table.concat(parts)
end

--- The whole body. RequestEntityTooLarge (413) when it is larger than the application's
--- `client_max_size`. [suspends]
---@return string
function methods:read()
  check.self(self, Request, "read")
  local body = rawget(self, "_body")
  if not body then
    body = read_all(self, self.app and self.app.client_max_size or math.huge)
    rawset(self, "_body", body)
  end
  return body
end

local LATIN = { ["iso-8859-1"] = true, latin1 = true, ["us-ascii"] = true, ascii = true }

--- The body as text in UTF-8. BadRequest (400) when it is none, UnsupportedMediaType (415) for
--- character sets other than UTF-8 and ISO 8859-1. [suspends]
---@return string
function methods:text()
  check.self(self, Request, "text")
  local body, charset = self:read(), self.charset or "utf-8"
  if LATIN[charset] then
    return (body:gsub("[\128-\255]", function(c) return utf8.char(c:byte()) end))
  end
  if charset ~= "utf-8" and charset ~= "utf8" then
    error(exceptions.UnsupportedMediaType("unknown character set"), 0)
  end
  if not utf8.len(body) then error(exceptions.BadRequest("the body is no text in UTF-8"), 0) end
  return body
end

--- The body as JSON. BadRequest (400) when it is none. [suspends]
---@return any
function methods:json()
  check.self(self, Request, "json")
  local body = self:read()
  local json = require "aio.json"
  local ok, value = pcall(json.decode, body)
  if not ok then error(exceptions.BadRequest("the body is no JSON"), 0) end
  return value
end

--- The fields of a form, urlencoded or multipart: a multi-map; files are objects. [suspends]
---@return table
function methods:form()
  check.self(self, Request, "form")
  local form = rawget(self, "_form")
  if not form then
    local max = self.app and self.app.client_max_size or math.huge
    form = require("aio.http.form").read(self, max)
    rawset(self, "_form", form)
  end
  return form
end

--- A reader of the parts of a multipart body.
---@return table
function methods:multipart()
  check.self(self, Request, "multipart")
  local fail = require("aio.http.form").fail
  return require("aio.http.multipart").reader(self.headers, self.content, nil, fail)
end

--- Path and query for a named route: see Application:url_for.
---@param name string
---@param params? table name -> value
---@param query? table name -> value or list of values
---@return string
function methods:url_for(name, params, query)
  check.self(self, Request, "url_for")
  return self.app:url_for(name, params, query)
end

--- What the connection below tells: "peername", "sockname", over TLS "peercert", "cipher" and
--- others, see Stream:get_extra_info.
---@param name string
---@param default? any when there is no such thing
---@return any
function methods:get_extra_info(name, default)
  check.self(self, Request, "get_extra_info")
  return self._c.conn:get_extra_info(name, default)
end

--- The stream below, for a protocol that the handler goes on with: from now on the server reads and
--- writes nothing on it, and closes it when the handler has returned.
---@return table stream
function methods:_take_over() return self._c:take_over(self) end

return M
