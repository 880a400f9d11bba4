-- SPDX-License-Identifier: MIT
--
-- Credentials of a request: a user and a password in a header (RFC 7617), to be sent by a client
-- and to be read by a server.

local check = require "aio.check"

local M = {}

local BasicAuth = {}
BasicAuth.__index = BasicAuth
BasicAuth.__name = "BasicAuth"

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function digit(n) return DIGITS:sub(n + 1, n + 1) end

--- Base 64.
---@param text string
---@return string
function M.base64(text)
  return (text:gsub("..?.?", function(three)
    local a, b, c = three:byte(1, 3)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    return digit(n >> 18) .. digit(n >> 12 & 63) .. (b and digit(n >> 6 & 63) or "=")
      .. (c and digit(n & 63) or "=")
  end))
end

--- A user and a password, for the option `auth` of a request, a session or a proxy.
---@param user string without a colon
---@param password? string
---@return table BasicAuth its field `header` is the value of an Authorization header
function M.basic_auth(user, password)
  check.arg(type(user) == "string" and not user:find("[:%c]"), 1, "basic_auth",
    "name of a user expected: a string without ':' and controls")
  check.arg(password == nil or type(password) == "string" and not password:find("%c"), 2,
    "basic_auth", "password expected: a string without controls")
  return setmetatable({
    user = user, password = password or "",
    header = "Basic " .. M.base64(user .. ":" .. (password or "")),
  }, BasicAuth)
end

local VALUES = {}
for n = 0, 63 do VALUES[digit(n)] = n end

-- Base 64 as a header has it, or nil.
local function decoded(text)
  local digits, pads = text:match "^([%w+/]*)(=*)$"
  if not digits or #digits % 4 == 1 or #pads > 2 then return nil end
  if pads ~= "" and (#digits + #pads) % 4 ~= 0 then return nil end
  return (digits:gsub("..?.?.?", function(four)
    local bits = 0
    for i = 1, 4 do bits = bits << 6 | (VALUES[four:sub(i, i)] or 0) end
    return (">I3"):pack(bits):sub(1, #four * 3 // 4)
  end))
end

--- The user and the password of an Authorization header, as a server gets it: see BasicAuth.
---@param header? string `req.headers["Authorization"]`
---@return table|nil BasicAuth its fields `user` and `password` are bytes as the client sent them;
---  nil when the header is none of this kind
function M.parse_basic_auth(header)
  check.arg(header == nil or type(header) == "string", 1, "parse_basic_auth",
    "value of an Authorization header, or nil, expected, got " .. type(header))
  local scheme, text = (header or ""):match "^%s*(%a+) +(%S+)%s*$"
  if not scheme or scheme:lower() ~= "basic" then return nil end
  local user, password = (decoded(text) or ""):match "^([^:]*):(.*)$"
  if not user or user:find "%c" or password:find "%c" then return nil end
  return M.basic_auth(user, password)
end

function BasicAuth:__tostring() return ("BasicAuth (%s)"):format(self.user) end

--- Checks an option that is an `auth`.
function M.check(value, option, n, name)
  check.arg(value == nil or getmetatable(value) == BasicAuth, n, name,
    ("option '%s': http.basic_auth(user, password) expected, got %s"):format(option, type(value)))
  return value
end

M.BasicAuth = BasicAuth

return M
