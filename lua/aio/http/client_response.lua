-- SPDX-License-Identifier: MIT
--
-- What a client gets: status, fields and body. How the bytes of the body are read is in
-- client_body.lua; a response whose body is short and has come already needs no connection any more
-- when the user gets it.

local hc = require "aio.http.core"
local check = require "aio.check"
local charsets = require "aio.http.charset"
local client_body = require "aio.http.client_body"
local errors = require "aio.http.errors"

local M = {}

local Response = { _kind = "the response" }
Response.__name = "ClientResponse"

local KEEP_ALIVE = hc.KEEP_ALIVE

-- ---- what is found out when somebody asks ----

local lazy = {}

function lazy.ok(self) return self.status < 400 end

function lazy.url(self) return require("aio.http.url").URL(self._target.text) end

function lazy.cookies(self)
  local map = {}
  for _, set in ipairs(self._set_cookies or {}) do map[set.name] = set.value end
  return map
end

local function content_type(self)
  local value = self.headers["content-type"]
  if not value then return "application/octet-stream", {} end
  local kind, params = require("aio.http.value").parse_content_type(value)
  return kind or "application/octet-stream", params or {}
end

function lazy.content_type(self) return (content_type(self)) end

function lazy.charset(self)
  local _, params = content_type(self)
  return params.charset and params.charset:lower() or nil
end

function lazy.content_length(self)
  local text = self.headers["content-length"]
  return text and math.tointeger(tonumber(text)) or nil
end

function lazy.links(self)
  local list, found = self.headers:get_all "link", {}
  for _, link in ipairs(require("aio.http.value").parse_links(table.concat(list, ", "))) do
    local ok, url = pcall(self.url.join, self.url, link.url)
    if ok then
      found[#found + 1] = { url = url, rel = link.rel, params = link.params }
      if link.rel then found[link.rel] = found[link.rel] or found[#found] end
    end
  end
  return found
end

function lazy.content(self) return self._body:content() end

function lazy.version(self) return self._minor == 1 and "1.1" or "1.0" end

function Response:__index(key)
  local method = Response[key]
  if method ~= nil then return method end
  local make = lazy[key]
  if not make then return nil end
  local value = make(self)
  rawset(self, key, value)
  return value
end

-- ---- making ----

--- The response whose head has been read from the link.
---@param req table
---@param link table
---@param sending table|nil the upload that may still go on
---@param sent boolean was the request sent whole, or is it being sent?
---@return table Response
function M.new(req, link, sending, sent, headers, status, reason, minor, length, flags)
  local self = setmetatable({
    status = status, reason = reason, headers = headers, method = req.method, _minor = minor,
    history = req.history, _target = req.target, _req = req, _flags = flags,
  }, Response)
  if status == 101 then
    self._link, self._guard = link, client_body.guard(link, req)
    return self
  end
  self._body = client_body.new(req, link, sending, headers, length,
    sent and flags & KEEP_ALIVE ~= 0 and not req.close)
  return self
end

-- ---- the body ----

local function body_of(self)
  if not self._body then
    check.state("this response has no body: the connection has changed to another protocol")
  end
  return self._body
end

--- The whole body, decoded; may be called again. [suspends] Raises ClientPayloadError when it is
--- cut short, malformed, or longer than limits.body (limits.decoded when it was compressed). After
--- an error, and when it is cancelled, the response is closed; `content` is what goes on then.
---@return string
function Response:read()
  check.self(self, Response, "read")
  return body_of(self):read()
end

-- What the server says of the charset is no argument of the caller's.
local function check_charset(self)
  if not self.charset or charsets.is_known(self.charset) then return end
  error(errors.ContentTypeError(("%s is in the charset '%s', which is not known here; read() and "
    .. "convert the bytes, or name one, text(\"utf-8\")"):format(self._target.text,
    (self.charset:sub(1, 40):gsub("[%c\127-\255]", "?"))), self:_facts()), 0)
end

--- The whole body in UTF-8. [suspends] Raises ContentTypeError for a charset that is unknown here.
---@param charset? string what it is in: by default what Content-Type says, or UTF-8
---@return string
function Response:text(charset)
  check.self(self, Response, "text")
  check.arg(charset == nil or type(charset) == "string", 1, "text",
    "name of a charset expected, got " .. type(charset))
  if not charset then check_charset(self) end
  return charsets.to_utf8(self:read(), charset or self.charset or "utf-8", 1, "text")
end

local function is_json(kind)
  return kind == "application/json" or kind:find("^application/[%w.!#$&^_+-]*%+json$") ~= nil
end

--- The body as JSON. [suspends] Raises ContentTypeError when it says that it is something else.
---@param opts? table content_type: what it may be; false: anything
---@return any
function Response:json(opts)
  check.self(self, Response, "json")
  opts = check.options(opts, { content_type = true }, 1, "json")
  local wanted, kind = opts.content_type, self.content_type
  if wanted == nil and not is_json(kind) or wanted and kind ~= wanted then
    error(errors.ContentTypeError(("%s (%d %s) is of type '%s', and no JSON; "
      .. "json{ content_type = false } takes it all the same"):format(self._target.text,
      self.status, self.reason, kind), self:_facts()), 0)
  end
  local data = self:read()
  return require("aio.json").decode(data)
end

--- The body in pieces: `for chunk in response:chunks(n) do` [suspends].
---@param n? integer bytes at most; unset: as they come
---@return function
function Response:chunks(n)
  check.self(self, Response, "chunks")
  return self.content:chunks(n)
end

--- The lines of the body: `for line in response:lines() do` [suspends].
---@param format? string "l" (unset) or "L"
---@return function
function Response:lines(format)
  check.self(self, Response, "lines")
  return self.content:lines(format)
end

--- Server-sent events: `for event in response:events() do` [suspends].
---@return function
function Response:events()
  check.self(self, Response, "events")
  return require("aio.http.sse").events(self.content)
end

--- Writes the body to a file, which is there only when all has come, unless `append` is set.
--- [suspends]
---@param path string
---@param opts? table on_progress(done, total or nil), append (adds to the file)
---@return integer bytes written
function Response:save(path, opts)
  check.self(self, Response, "save")
  return require("aio.http.save").save(self, path, opts)
end

-- ---- the end ----

--- Gives the connection back: it is used again when the body was read to its end, else closed.
function Response:release()
  check.self(self, Response, "release")
  if self._body then self._body:release() end
  if self._link then self:close() end
end

--- Closes the connection, unless it was given back already.
function Response:close()
  check.self(self, Response, "close")
  if self._body then self._body:close() end
  local link = self._link
  self._link = nil
  if not link then return end
  self._guard.link = nil
  link.connector:_drop(link)
end

function Response:__close() self:release() end

--- Raises ClientResponseError when the status is 400 or more, and closes the response then.
function Response:raise_for_status()
  check.self(self, Response, "raise_for_status")
  if self.status < 400 then return end
  self:release()
  error(errors.ClientResponseError(("%d %s for %s %s"):format(self.status, self.reason, self.method,
    self._target.text), self:_facts()), 0)
end

-- What an error about it tells.
function Response:_facts()
  return { status = self.status, headers = self.headers, reason = self.reason, method = self.method,
    url = self._target.text, history = self.history }
end

-- Calls `fn` when the connection was given back.
function Response:_when_done(fn)
  if self._body then self._body:when_done(fn) else fn() end
end

-- Takes the connection out, for another protocol: the stream, with what has come. Afterwards
-- `done()` gives the slot back.
function Response:_take_over()
  local link, guard = self._link, self._guard
  self._link = nil
  return link.stream, function()
    guard.link = nil
    link.connector:_leave(link)
  end
end

function Response:__tostring()
  return ("ClientResponse (%d %s): %s %s"):format(self.status, self.reason, self.method,
    self._target.text)
end

M.ClientResponse = Response

return M
