-- SPDX-License-Identifier: MIT
--
-- Paths: their parts, and the checks of what functions of files get.

local check = require "aio.check"

local M = {}

local SEPARATOR = package.config:sub(1, 1)
local WINDOWS = SEPARATOR == "\\"

--- Checks a path, as argument `n` of `name`; returns it as a string.
function M.check(path, n, name)
  if type(path) == "number" then path = tostring(path) end
  check.arg(type(path) == "string", n, name, "path expected, got " .. type(path))
  check.arg(not path:find("\0", 1, true), n, name, "a path without zero bytes expected")
  return path
end

-- 644 for 0644: the digits are octal, what it means as a number (sticky, unreadable) is not meant.
local function looks_octal(mode)
  return math.type(mode) == "integer" and mode > 511 and mode <= 777
    and tostring(mode):find "^[0-7]+$"
end

--- Checks an option that is permissions.
function M.check_mode(mode, option, n, name)
  if mode == nil then return end
  local number = math.type(mode) == "integer" and mode
    or type(mode) == "string" and mode:find "^[0-7]+$" and #mode <= 5 and tonumber(mode, 8)
  if looks_octal(mode) then
    check.argerror(n, name, ("option '%s': the number %d is octal %o; write \"%d\""):format(option,
      mode, mode, mode))
  end
  check.arg(number and number >= 0 and number <= 4095, n, name, ("option '%s': permissions "
    .. "expected: octal digits in a string, as \"644\", or their number"):format(option))
end

--- "a/b" of "a/b/c" and of "a/b//c//"; nil when nothing is above it.
function M.above(path)
  local set = WINDOWS and "[/\\]" or "/"
  local rest = path:gsub(set .. "+$", "")
  local folder = rest:match("^(.*)" .. set .. "[^/" .. (WINDOWS and "\\" or "") .. "]*$")
  if not folder then return nil end
  return folder == "" and "/" or folder
end

--- "c" of "a/b/c" and of "a/b//c//".
function M.base(path)
  local set = WINDOWS and "/\\" or "/"
  return path:match("([^" .. set .. "]+)[" .. set .. "]*$")
end

--- A name in a folder.
function M.join(folder, name)
  if folder:find(WINDOWS and "[/\\]$" or "/$") then return folder .. name end
  return folder .. SEPARATOR .. name
end

return M
