-- SPDX-License-Identifier: MIT
--
-- One error class for each status of HTTP that a handler may raise, below HTTPException. The server
-- answers with what the error says; nothing else of an error ever reaches a client.

local core = require "aio.core"
local check = require "aio.check"
local headers_of = require "aio.http.headers"

local M = {}

--- Above all classes below: `status`, `reason`, `message` (the text that the client sees), and
--- where given `headers`, `body`, `content_type`, `location`, `allow` (list of methods).
M.HTTPException = core.Error:extend "HTTPException"
M.HTTPException.status = 500

-- The groups, as in aiohttp.
M.HTTPSuccessful = M.HTTPException:extend "HTTPSuccessful"
M.HTTPRedirection = M.HTTPException:extend "HTTPRedirection"
M.HTTPError = M.HTTPException:extend "HTTPError"
M.HTTPClientError = M.HTTPError:extend "HTTPClientError"
M.HTTPServerError = M.HTTPError:extend "HTTPServerError"

local NAMES = {
  [200] = "Ok", [201] = "Created", [202] = "Accepted", [203] = "NonAuthoritativeInformation",
  [204] = "NoContent", [205] = "ResetContent", [206] = "PartialContent",
  [300] = "MultipleChoices", [301] = "MovedPermanently", [302] = "Found", [303] = "SeeOther",
  [304] = "NotModified", [305] = "UseProxy", [307] = "TemporaryRedirect",
  [308] = "PermanentRedirect",
  [400] = "BadRequest", [401] = "Unauthorized", [402] = "PaymentRequired", [403] = "Forbidden",
  [404] = "NotFound", [405] = "MethodNotAllowed", [406] = "NotAcceptable",
  [407] = "ProxyAuthenticationRequired", [408] = "RequestTimeout", [409] = "Conflict",
  [410] = "Gone", [411] = "LengthRequired", [412] = "PreconditionFailed",
  [413] = "RequestEntityTooLarge", [414] = "RequestURITooLong", [415] = "UnsupportedMediaType",
  [416] = "RequestRangeNotSatisfiable", [417] = "ExpectationFailed", [421] = "MisdirectedRequest",
  [422] = "UnprocessableEntity", [423] = "Locked", [424] = "FailedDependency",
  [426] = "UpgradeRequired", [428] = "PreconditionRequired", [429] = "TooManyRequests",
  [431] = "RequestHeaderFieldsTooLarge", [451] = "UnavailableForLegalReasons",
  [500] = "InternalServerError", [501] = "NotImplemented", [502] = "BadGateway",
  [503] = "ServiceUnavailable", [504] = "GatewayTimeout", [505] = "VersionNotSupported",
  [506] = "VariantAlsoNegotiates", [507] = "InsufficientStorage", [510] = "NotExtended",
  [511] = "NetworkAuthenticationRequired",
}

-- Reasons that are not the class's name taken apart.
local REASONS = {
  [200] = "OK", [203] = "Non-Authoritative Information", [413] = "Content Too Large",
  [414] = "URI Too Long", [416] = "Range Not Satisfiable", [422] = "Unprocessable Content",
  [431] = "Request Header Fields Too Large", [451] = "Unavailable For Legal Reasons",
  [505] = "HTTP Version Not Supported",
}

local function group(status)
  if status < 300 then return M.HTTPSuccessful end
  if status < 400 then return M.HTTPRedirection end
  return status < 500 and M.HTTPClientError or M.HTTPServerError
end

--- The class of a status: `by_status[404]` is NotFound.
M.by_status = {}

local FIELDS = {
  status = true, headers = true, reason = "string", body = "string", content_type = "string",
  location = "string", allow = "table", cause = true,
}
local MOVED = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local function check_status(class, status)
  if status == nil then
    if rawget(class, "status") and class ~= M.HTTPException then return end
    check.argerror(2, class.name,
      ("field 'status' is missing; write %s(text, { status = 418 })"):format(class.name))
  elseif not (math.type(status) == "integer" and status >= 200 and status <= 999) then
    check.argerror(2, class.name, "field 'status': an integer from 200 to 999 expected, got "
      .. tostring(status))
  end
end

-- Who looks at the headers sees `location` and `allow` there, as the client will.
local function all_headers(class, fields)
  local h = headers_of.Headers(fields.headers)
  if fields.location then h["Location"] = fields.location end
  if fields.allow then
    for i, method in ipairs(fields.allow) do
      check.arg(type(method) == "string", 2, class.name,
        ("field 'allow': item %d: a method expected, got %s"):format(i, type(method)))
    end
    h["Allow"] = table.concat(fields.allow, ", ")
  end
  return h
end

local function check_location(class, err)
  if err.headers and headers_of.Headers(err.headers)["Location"] then return end
  check.argerror(2, class.name, ("field 'location' is missing; write %s(nil, { location = "
    .. "\"/there\" }), or return http.redirect(\"/there\")"):format(class.name))
end

-- Class(text, fields): what the client sees is a text, never a table by mistake.
local function checked(class)
  local mt = getmetatable(class)
  local make = mt.__call
  mt.__call = function(self, text, fields)
    check.arg(text == nil or type(text) == "string", 1, class.name, ("text or nil expected, got "
      .. "%s; write %s(text, { headers = ... })"):format(type(text), class.name))
    check.arg(fields == nil or type(fields) == "table", 2, class.name,
      "table of fields (headers, reason, body, content_type, ...) expected, got " .. type(fields))
    check.options(fields, FIELDS, 2, class.name)
    check_status(class, fields and fields.status)
    local err = make(self, text, fields)
    if fields and (fields.location or fields.allow) then
      err.headers = all_headers(class, fields)
    end
    if MOVED[err.status] then check_location(class, err) end
    return err
  end
end

for status, name in pairs(NAMES) do
  local class = group(status):extend(name)
  class.status = status
  class.reason = REASONS[status] or name:gsub("(%l)(%u)", "%1 %2")
  M[name], M.by_status[status] = class, class
end

for _, class in pairs(M.by_status) do checked(class) end
for _, name in ipairs { "HTTPException", "HTTPSuccessful", "HTTPRedirection", "HTTPError",
  "HTTPClientError", "HTTPServerError" } do
  checked(M[name])
end

--- The reason phrase of a status.
---@param status integer
---@return string
function M.reason(status)
  local class = M.by_status[status]
  return class and class.reason or (status < 200 and "Informational" or "Unknown")
end

local is, HTTPException = core.is, M.HTTPException

--- Is it an error that is an answer?
---@return boolean
function M.is_answer(err) return is(err, HTTPException) end

--- What to report for `err`: for a class of these, raised or returned as Python allows it, an error
--- that says what was meant.
---@param err any
---@return any
function M.meant(err)
  local name = type(err) == "table" and rawget(err, "__index") == err and rawget(err, "name")
  if not name or not rawget(err, "status") then return err end
  return core.RuntimeError(("the class %s, and no error of it, was raised; write error(http.%s())")
    :format(name, name))
end

return M
