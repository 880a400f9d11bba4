-- SPDX-License-Identifier: MIT
--
-- Responses that a handler returns: status, headers and a body in memory. What is sent otherwise
-- (streams, files) has the same fields and a method `_send`, see aio.http.respond.

local core = require "aio.core"
local check = require "aio.check"
local headers = require "aio.http.headers"

local M = {}

-- What most responses do not set is here and not in each of them; aio.http.core knows of it.
local methods = { status = 200, _h = false }
local Response = { __name = "Response" }
M.class = Response
M.methods = methods

-- `headers` is made when it is asked for; `_h` is false before, and means that there is neither a
-- reason nor a wish about compression: the server asks no further.
local function get_headers(self, key)
  if key ~= "headers" then return nil end
  local h = self._h
  if not h then
    h = headers.Headers()
    self._h = h
  end
  return h
end

-- What may be set; names that begin with _ are ours.
local FIELDS = { status = true, reason = true, body = true, content_type = true, compress = true }

local function check_field(key)
  if FIELDS[key] or type(key) == "string" and key:byte() == 95 then return end
  check.state(("a response has no field '%s' (there is: body, compress, content_type, headers, "
    .. "reason, status)"):format(tostring(key)))
end

--- The `__index` and `__newindex` of a class of responses whose methods these are.
function M.accessors(own)
  local function index(self, key)
    local method = own[key]
    if method ~= nil then return method end
    return get_headers(self, key)
  end
  local function newindex(self, key, value)
    if key == "headers" then
      self._h = headers.Headers(value)
      return
    end
    check_field(key)
    if key == "reason" or key == "compress" then self._h = self._h or headers.Headers() end
    rawset(self, key, value)
  end
  return index, newindex
end

Response.__index, Response.__newindex = M.accessors(methods)

local OPTIONS = {
  status = "number", reason = "string", headers = true, body = "string", text = "string",
  content_type = "string", compress = true,
}

--- Checks a status code; the function `name` is to blame.
function M.check_status(status, unset, name)
  if status == nil then return unset end
  local integer = math.tointeger(status)
  check.arg(integer and integer >= 200 and integer <= 999, 1, name,
    ("option 'status': an integer from 200 to 999 expected, got %s"):format(tostring(status)))
  return integer
end

-- What a field is when it is not set by a constructor, which has checked it.
local function bad_field(name, wanted, value)
  local got = type(value) == "string" and ("%q"):format(value) or type(value) == "number" and value
    or type(value)
  error(core.RuntimeError(("field '%s' of the response: %s expected, got %s"):format(name, wanted,
    got)), 0)
end

--- Checks what somebody may have set in the meantime. Raises RuntimeError.
---@param res table a response of any class
function M.check_fields(res)
  local status, kind, reason = res.status, res.content_type, res.reason
  local integer = type(status) == "number" and math.tointeger(status)
  if not integer or integer < 200 or integer > 999 then
    bad_field("status", "an integer from 200 to 999", status)
  end
  if kind ~= nil and type(kind) ~= "string" then bad_field("content_type", "a string", kind) end
  if reason ~= nil and type(reason) ~= "string" then bad_field("reason", "a string", reason) end
  if getmetatable(res) == Response and type(res.body) ~= "string" then
    bad_field("body", "a string", res.body)
  end
end

--- What `_h` is at first for such options.
function M.special(opts)
  if opts.headers == nil and opts.reason == nil and opts.compress == nil then return false end
  return headers.Headers(opts.headers)
end

local TEXT = "text/plain; charset=utf-8"

--- A response. Fields: `status`, `reason`, `headers`, `body`, `content_type`.
---@param opts? table status (200), reason, headers (map, list of pairs, or Headers), body (string),
---  content_type ("application/octet-stream"), text (a body in UTF-8, with a content_type that
---  says so, unset "text/plain"), compress (true: when the client takes it; false: never)
---@return Response
function M.Response(opts)
  opts = check.options(opts, OPTIONS, 1, "Response")
  local content_type = opts.content_type
  if opts.text then
    check.arg(not opts.body, 1, "Response", "one of 'body' and 'text' expected, not both")
    if not content_type then
      content_type = TEXT
    elseif not content_type:lower():find("charset=", 1, true) then
      content_type = content_type .. "; charset=utf-8"
    end
  end
  return setmetatable({
    status = M.check_status(opts.status, 200, "Response"), reason = opts.reason,
    body = opts.text or opts.body or "", compress = opts.compress,
    content_type = content_type or opts.body and "application/octet-stream" or nil,
    _h = M.special(opts),
  }, Response)
end

local SHORT = { status = "number", headers = true, reason = "string", content_type = "string",
  compress = true }

local function shaped(name, body, content_type, opts)
  if not opts then
    return setmetatable({ body = body, content_type = content_type }, Response)
  end
  check.options(opts, SHORT, 2, name)
  return setmetatable({
    status = M.check_status(opts.status, 200, name), reason = opts.reason, body = body,
    content_type = opts.content_type or content_type, compress = opts.compress,
    _h = M.special(opts),
  }, Response)
end

local json -- aio.json, when it is needed

--- A response with a value as JSON (application/json; charset=utf-8). Raises for what JSON cannot
--- say.
---@param value any
---@param opts? table status, headers, reason, content_type, compress
---@return Response
function M.json(value, opts)
  if not json then json = require "aio.json" end
  return shaped("json", json.encode(value), "application/json; charset=utf-8", opts)
end

--- A page (text/html; charset=utf-8).
---@param text string
---@param opts? table status, headers, reason, content_type, compress
---@return Response
function M.html(text, opts)
  check.arg(type(text) == "string", 1, "html", "string expected, got " .. type(text))
  return shaped("html", text, "text/html; charset=utf-8", opts)
end

-- ---- methods ----

--- Sets a cookie. Raises for names and values that cannot be in one.
---@param name string
---@param value string
---@param attrs? table max_age, expires, domain, path ("/"), secure, httponly, samesite
function methods:set_cookie(name, value, attrs)
  local with_path = { path = "/" }
  for k, v in pairs(attrs or {}) do with_path[k] = v end
  self.headers:add("Set-Cookie", require("aio.http").set_cookie(name, value, with_path))
end

--- Asks the client to forget a cookie.
---@param name string
---@param attrs? table domain, path ("/")
function methods:del_cookie(name, attrs)
  local gone = { max_age = 0, expires = 0 }
  for k, v in pairs(attrs or {}) do gone[k] = v end
  self:set_cookie(name, "", gone)
end

function Response:__tostring() return ("Response: %d"):format(self.status) end

return M
