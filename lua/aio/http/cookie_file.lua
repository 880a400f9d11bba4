-- SPDX-License-Identifier: MIT
--
-- A cookie jar in a file: JSON that only its owner can read, since cookies are as good as
-- passwords. What a file says is checked as what a server says.

local core = require "aio.core"
local fs = require "aio.fs"
local json = require "aio.json"

local M = {}

local MODE = "600"
local VERSION = 1

--- Writes the cookies of a jar. [suspends] Raises OSError.
---@param jar table
---@param path string
function M.save(jar, path)
  local list = {}
  for cookie in jar:cookies() do
    list[#list + 1] = {
      name = cookie.name, value = cookie.value, domain = cookie.domain, path = cookie.path,
      host_only = cookie.host_only, secure = cookie.secure, httponly = cookie.httponly,
      samesite = cookie.samesite, expires = cookie.expires,
    }
  end
  local data = json.encode { version = VERSION, cookies = json.array(list) }
  -- a file that others could read is closed to them before there is anything in it
  core.catch(core.OSError, fs.chmod, path, MODE)
  fs.write(path, data, { mode = MODE })
end

local KINDS = {
  name = "string", value = "string", domain = "string", path = "string", host_only = "boolean",
  secure = "boolean", httponly = "boolean", samesite = "string", expires = "number",
}
local NEEDED = { "name", "value", "domain", "path" }

-- A cookie of the file, or nil and what is wrong with it.
local function checked(entry, is_sendable)
  if type(entry) ~= "table" then return nil, "no object" end
  local cookie = {}
  for key, kind in pairs(KINDS) do
    local value = entry[key]
    if value ~= nil and type(value) ~= kind then return nil, key .. " is no " .. kind end
    cookie[key] = value
  end
  for _, key in ipairs(NEEDED) do
    if not cookie[key] then return nil, "no " .. key end
  end
  if not is_sendable(cookie.name, cookie.value) then return nil, "not to be sent" end
  if cookie.path:sub(1, 1) ~= "/" then return nil, "a path begins with '/'" end
  return cookie
end

local function refuse(path, why)
  error(core.RuntimeError(("%s: no file of a CookieJar: %s"):format(path, why)), 0)
end

--- Adds the cookies of a file to a jar, all of them or, after an error, none. [suspends]
---@param jar table
---@param path string
---@param put fun(jar: table, cookie: table)
---@param is_sendable fun(name: string, value: string): boolean
function M.load(jar, path, put, is_sendable)
  local text = fs.read(path)
  local ok, file = pcall(json.decode, text)
  if not ok then refuse(path, tostring(file)) end
  if type(file) ~= "table" or file.version ~= VERSION or type(file.cookies) ~= "table" then
    refuse(path, "no version 1")
  end
  local list = {}
  for i, entry in ipairs(file.cookies) do
    local cookie, why = checked(entry, is_sendable)
    if not cookie then refuse(path, ("cookie %d: %s"):format(i, why)) end
    list[i] = cookie
  end
  for _, cookie in ipairs(list) do put(jar, cookie) end
end

return M
