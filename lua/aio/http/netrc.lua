-- SPDX-License-Identifier: MIT
--
-- Credentials out of the file netrc (the variable NETRC, else .netrc in the home folder), which
-- sessions with `trust_env` look at: "machine example.test login ann password secret".

local core = require "aio.core"
local auth = require "aio.http.auth"
local fs = require "aio.fs"
local unquoted = require("aio.http.value").unquoted

local M = {}

-- The next word from `at` on, and the place behind it; nil at the end. A word in quotes has blanks,
-- and a backslash before what is to be taken as it is.
local function word_at(text, at)
  at = text:match("^%s*()", at)
  if at > #text then return nil, at end
  if text:byte(at) == 34 then return unquoted(text, at + 1) end
  return text:match("^(%S+)()", at)
end

local function line_end(text, at) return text:match("^[^\n]*\n?()", at) end

-- A macro ends with an empty line.
local function macro_end(text, at)
  local _, behind = text:find("\n%s*\n", at)
  return behind and behind + 1 or #text + 1
end

local VALUES = { login = true, user = true, account = true, password = true }

--- What the file says: name of a machine -> { login=, password= }; "" is the default. The first
--- entry of a machine counts; what is no netrc is passed over.
---@param text string
---@return table
function M.parse(text)
  local all, entry, at = {}, nil, 1
  while true do
    local word, behind = word_at(text, at)
    if not word then return all end
    if word:byte() == 35 then
      behind = line_end(text, at + #text:match("^%s*", at))
    elseif word == "machine" or word == "default" then
      local name = ""
      if word == "machine" then name, behind = word_at(text, behind) end
      entry = {}
      if name then all[name:lower()] = all[name:lower()] or entry end
    elseif word == "macdef" then
      behind = macro_end(text, behind)
    elseif VALUES[word] then
      local value
      value, behind = word_at(text, behind)
      if entry then entry[word == "user" and "login" or word] = value end
    end
    at = behind
  end
end

-- The file of the environment, or nil. [suspends]
local function read()
  local path, home = os.getenv "NETRC", os.getenv "HOME" or os.getenv "USERPROFILE"
  if not path and not home then return nil end
  local ok, text = core.catch(core.OSError, fs.read, path or home .. "/.netrc")
  return ok and text or nil
end

--- The value of Authorization for a host, or nil; the session remembers what was read. [suspends]
---@param session table
---@param host string
---@return string|nil
function M.header(session, host)
  if not session._netrc then
    local text = read()
    session._netrc = text and M.parse(text) or {}
  end
  local entry = session._netrc[host] or session._netrc[""]
  if not entry or not (entry.login or entry.password) then return nil end
  local user, password = entry.login or "", entry.password or ""
  if user:find "[:%c]" or password:find "%c" then return nil end
  return auth.basic_auth(user, password).header
end

return M
