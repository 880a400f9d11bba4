-- SPDX-License-Identifier: MIT
--
-- http.redirect: sends the client elsewhere, by default only within the same site, since the place
-- often comes out of a request.

local check = require "aio.check"
local exceptions = require "aio.http.exceptions"
local response = require "aio.http.response"

local M = {}

local STATUS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- What a browser takes for a place on another site, or for a script, begins like this; backslashes
-- are slashes to it, and blanks and controls before or in a scheme are skipped.
local function leaves_site(url)
  local text = url:gsub("[%c ]", ""):gsub("\\", "/")
  return text:find "^//" ~= nil or text:find "^[%a][%w+.-]*:" ~= nil
end

local function refuse(why) check.argerror(1, "redirect", why) end

local OPTIONS = { external = "boolean", headers = true }

--- A response that sends the client to another place: a path ("/login", "next?x=1"). A place on
--- another site ("https://...", "//...") is refused unless `external` is true: never let it come
--- from a request then. Schemes other than http and https are always refused.
---@param url string
---@param status? integer 302; 301, 303, 307, 308
---@param opts? table external, headers
---@return Response
function M.redirect(url, status, opts)
  check.arg(type(url) == "string" or type(url) == "userdata" or type(url) == "table", 1, "redirect",
    "path or URL expected, got " .. type(url))
  url = tostring(url)
  opts = check.options(opts, OPTIONS, 3, "redirect")
  status = status or 302
  check.arg(STATUS[status], 2, "redirect", "301, 302, 303, 307 or 308 expected, got "
    .. tostring(status))
  if url == "" then refuse "the place is empty" end
  if url:find "[%c\128-\255]" then
    refuse "the place has control characters or bytes that are not ASCII; encode them"
  end
  if leaves_site(url) then
    if not opts.external then
      refuse "this place is on another site; write { external = true } when that is meant"
    end
    if not url:find "^[Hh][Tt][Tt][Pp][Ss]?://[^/\\]" then
      refuse "an address that begins with http:// or https:// expected"
    end
  end
  local res = response.Response { status = status, headers = opts.headers,
    text = ("%d: %s\n"):format(status, exceptions.reason(status)) }
  res.headers["Location"] = url
  return res
end

return M
