-- SPDX-License-Identifier: MIT
--
-- Credentials of a request: a user and a password in a header (RFC 7617).

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

function BasicAuth:__tostring() return ("BasicAuth (%s)"):format(self.user) end

--- Checks an option that is an `auth`.
function M.check(value, option, n, name)
  check.arg(value == nil or getmetatable(value) == BasicAuth, n, name,
    ("option '%s': http.basic_auth(user, password) expected, got %s"):format(option, type(value)))
  return value
end

M.BasicAuth = BasicAuth

return M
