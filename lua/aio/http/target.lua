-- SPDX-License-Identifier: MIT
--
-- What a request asks of its URL: where to connect to, what stands in the request line and in the
-- field Host. A target is a plain table that nobody changes, so that a session can keep those of
-- the URLs that come again.

local core = require "aio.core"
local hc = require "aio.http.core"
local check = require "aio.check"
local errors = require "aio.http.errors"

local M = {}

local SCHEMES = { http = 80, https = 443, ws = 80, wss = 443 }
local SHOWN = 200 -- bytes of a URL in a message

local function shown(text)
  text = text:gsub("[%c\127-\255]", "?"):gsub("//[^/@]*@", "//...@")
  return #text > SHOWN and text:sub(1, SHOWN) .. "..." or text
end

local function refuse(class, text, why)
  core._raise(class(("'%s': %s"):format(shown(text), why), { url = text }))
end

local function of_parts(text, scheme, user, password, host, port, _, path, query)
  local tls = scheme == "https" or scheme == "wss"
  local name = host:match "^%[(.*)%]$" or host
  local shown_host = name:find(":", 1, true) and "[" .. name .. "]" or name
  local at = port == SCHEMES[scheme] and shown_host or ("%s:%d"):format(shown_host, port)
  return {
    text = text, scheme = scheme, tls = tls, host = name, port = port, host_field = at,
    path = (path == "" and "/" or path) .. (query and "?" .. query or ""),
    user = user and hc.percent_decode(user), password = password and hc.percent_decode(password),
    origin = ("%s://%s:%d"):format(tls and "https" or "http", shown_host, port),
  }
end

--- The target of a URL in text. Raises InvalidURL (`classes` has other classes for it).
---@param text string
---@param base? string what it is relative to
---@param classes? { invalid: table, scheme: table }
---@return table target
function M.parse(text, base, classes)
  local scheme = text:match "^%s*(%a[%w+.-]*):"
  if scheme and not SCHEMES[scheme:lower()] and not text:find("^%s*[%w.-]+:%d") then
    refuse(classes and classes.scheme or errors.NonHttpUrlClientError, text,
      "a URL of http or https expected")
  end
  local spelled, part, user, password, host, port, written, path, query = hc.url(text, base)
  if spelled then
    return of_parts(spelled, part, user, password, host, port, written, path, query)
  end
  local why = part
  if scheme and not SCHEMES[scheme:lower()] then
    why = "it has no scheme; write http:// or https:// before it"
  elseif not scheme and not base then
    why = text:find "^%s*/" and "it is relative, which needs a session with a base_url"
      or "it has no scheme; write http:// or https:// before it"
  end
  return refuse(classes and classes.invalid or errors.InvalidURL, text, why)
end

-- ---- params ----

local function text_of(value, key, n, name, option)
  if math.type(value) == "integer" or type(value) == "string" then return tostring(value) end
  if type(value) == "number" and value == value and math.abs(value) < math.huge then
    return tostring(value)
  end
  if type(value) == "boolean" then return tostring(value) end
  check.argerror(n, name, ("option '%s': '%s': string, number or boolean expected, got %s")
    :format(option, tostring(key), type(value)))
end

local function add(flat, key, value, n, name, option)
  if type(value) ~= "table" then value = { value } end
  if value[1] == nil and next(value) ~= nil then -- nothing of it would be sent
    check.argerror(n, name, ("option '%s': '%s': value or list of values expected, got a table "
      .. "with names"):format(option, tostring(key)))
  end
  for _, one in ipairs(value) do
    flat[#flat + 1] = tostring(key)
    flat[#flat + 1] = text_of(one, key, n, name, option)
  end
end

--- Fields as a flat list name, value, name, value: of a map (whose values may be lists) in the
--- order of the names, or of a list of pairs.
---@param fields table
---@param n integer argument of function `name`
---@param option? string the option that they are, "params"
---@return table flat
function M.flatten(fields, n, name, option)
  option = option or "params"
  local flat = {}
  local mt = getmetatable(fields)
  if mt and mt.__pairs then -- a MultiDict keeps its order
    for key, value in pairs(fields) do add(flat, key, value, n, name, option) end
    return flat
  end
  if #fields > 0 then
    for i, pair in ipairs(fields) do
      check.arg(type(pair) == "table" and pair[1] ~= nil and pair[2] ~= nil, n, name,
        ("item %d: a pair { name, value } expected"):format(i))
      add(flat, pair[1], pair[2], n, name, option)
    end
    return flat
  end
  local keys = {}
  for key in pairs(fields) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do add(flat, key, fields[key], n, name, option) end
  return flat
end

--- A URL with fields added to its query.
---@param text string
---@param params table|string
---@return string
function M.with_params(text, params, n, name)
  if type(params) ~= "string" then
    check.arg(type(params) == "table", n, name,
      "option 'params': map, list of pairs, or a query expected, got " .. type(params))
    params = hc.encode_query(M.flatten(params, n, name))
  end
  if params == "" then return text end
  local before, fragment = text:match "^([^#]*)(.*)$"
  local joint = not before:find("?", 1, true) and "?" or before:find "[?&]$" and "" or "&"
  return before .. joint .. params .. fragment
end

-- ---- URL objects ----

--- An http.URL of an argument that is one, or a text.
function M.url(value, n, name)
  if type(value) == "string" then return require("aio.http.url").URL(value) end
  local kind = type(value)
  check.arg((kind == "table" or kind == "userdata") and value.scheme and value.raw_path, n, name,
    "URL (string or http.URL) expected, got " .. kind)
  return value
end

--- The text of an argument that is a URL.
function M.text(value, n, name)
  if type(value) == "string" then return value end
  check.arg((type(value) == "table" or type(value) == "userdata") and value.scheme, n, name,
    "URL (string or http.URL) expected, got " .. type(value))
  return tostring(value)
end

return M
