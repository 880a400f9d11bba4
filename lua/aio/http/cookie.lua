-- SPDX-License-Identifier: MIT
--
-- Single cookies: what the headers Cookie and Set-Cookie say, and the second one written. The jar
-- of a client is in cookies.lua.

local hc = require "aio.http.core"
local check = require "aio.check"

local M = {}

local MAX_BYTES = 4096 -- of a name with its value: what browsers keep

local ATTRIBUTES = {
  domain = "string", path = "string", expires = "number", max_age = "number", secure = "boolean",
  httponly = "boolean", samesite = "string", partitioned = "boolean",
}

local SAME_SITE = { strict = "Strict", lax = "Lax", none = "None" }

--- Reads a Cookie header.
---@param header string
---@return table<string, string> cookies of a name that comes twice the first value
M.parse_cookie = hc.parse_cookie

--- Reads a Set-Cookie header as browsers do.
---@param header string
---@return table|nil cookie name, value, and those that are given of domain (without a leading dot),
---path, expires (seconds since 1970), max_age, secure, httponly, samesite, partitioned; nil when it
---is to be ignored
M.parse_set_cookie = hc.parse_set_cookie

local function check_bytes(kind, text, n, what)
  local at = hc.bad_cookie(kind, text)
  if not at then return end
  check.argerror(n, "set_cookie", ("byte 0x%02x at %d cannot be in %s%s"):format(text:byte(at), at,
    what, kind == "value" and " (http.percent_encode it)" or ""))
end

local function check_text(option, value)
  check_bytes("attribute", value, 3, ("option '%s'"):format(option))
end

-- What browsers refuse is refused here, where it can be seen.
local function check_promises(name, attrs)
  local lower = name:lower()
  local host = lower:find("^__host%-") ~= nil
  if (host or lower:find "^__secure%-") and not attrs.secure then
    check.argerror(3, "set_cookie", ("a cookie '%s' needs option 'secure'"):format(name))
  end
  if host and (attrs.domain or attrs.path ~= "/") then
    check.argerror(3, "set_cookie", ("a cookie '%s' needs path \"/\" and no domain"):format(name))
  end
  if attrs.samesite == "None" and not attrs.secure then
    check.argerror(3, "set_cookie", "samesite \"None\" needs option 'secure'")
  end
  if attrs.partitioned and not attrs.secure then
    check.argerror(3, "set_cookie", "option 'partitioned' needs option 'secure'")
  end
end

local function whole(option, value)
  local n = math.tointeger(value) or value == value and math.tointeger(math.floor(value))
  check.arg(n, 3, "set_cookie", ("option '%s': a number of seconds expected"):format(option))
  return n
end

local function same_site(value)
  if value == nil then return nil end
  local known = SAME_SITE[value:lower()]
  check.arg(known, 3, "set_cookie", "option 'samesite': \"Strict\", \"Lax\" or \"None\" expected")
  return known
end

local function check_attributes(name, given)
  local attrs = {}
  for option, value in pairs(check.options(given, ATTRIBUTES, 3, "set_cookie")) do
    attrs[option] = value
  end
  attrs.samesite = same_site(attrs.samesite)
  if attrs.domain then
    check_text("domain", attrs.domain)
    check.arg(not attrs.domain:find " ", 3, "set_cookie",
      "option 'domain': a name without blanks expected")
  end
  if attrs.path then
    check_text("path", attrs.path)
    check.arg(attrs.path:sub(1, 1) == "/", 3, "set_cookie", "option 'path': it begins with \"/\"")
  end
  check_promises(name, attrs)
  return attrs
end

--- Writes the value of a Set-Cookie header. Raises for what no cookie can have.
---@param name string a token
---@param value string printable ASCII without blanks, quotes, commas, semicolons and backslashes;
---percent_encode anything else
---@param attrs? table domain, path, expires (seconds since 1970), max_age (seconds), secure,
---httponly, samesite ("Strict", "Lax", "None"), partitioned
---@return string
function M.set_cookie(name, value, attrs)
  check.arg(type(name) == "string" and name ~= "", 1, "set_cookie", "name expected")
  check.arg(type(value) == "string", 2, "set_cookie", "string expected, got " .. type(value))
  check_bytes("name", name, 1, "the name of a cookie")
  check_bytes("value", value, 2, "the value of a cookie")
  check.arg(#name + #value <= MAX_BYTES, 2, "set_cookie",
    ("name and value have more than %d bytes, which browsers ignore"):format(MAX_BYTES))
  attrs = check_attributes(name, attrs)
  local parts = { name .. "=" .. value }
  local function add(text) parts[#parts + 1] = text end
  if attrs.domain then add("Domain=" .. attrs.domain) end
  if attrs.path then add("Path=" .. attrs.path) end
  if attrs.expires then add("Expires=" .. hc.http_date(whole("expires", attrs.expires))) end
  if attrs.max_age then add(("Max-Age=%d"):format(whole("max_age", attrs.max_age))) end
  if attrs.secure then add "Secure" end
  if attrs.httponly then add "HttpOnly" end
  if attrs.samesite then add("SameSite=" .. attrs.samesite) end
  if attrs.partitioned then add "Partitioned" end
  return table.concat(parts, "; ")
end

return M
