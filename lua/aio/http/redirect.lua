-- SPDX-License-Identifier: MIT
--
-- What follows a redirect: where it leads, by which method, and what is not taken along. Everything
-- that is meant for one origin (scheme, host and port) stays with it.

local errors = require "aio.http.errors"
local target = require "aio.http.target"

local M = {}

local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local CLASSES = {
  invalid = errors.InvalidUrlRedirectClientError, scheme = errors.NonHttpUrlRedirectClientError,
}

-- Fields that are for one origin, and those of a body.
local FOR_ONE_ORIGIN = {
  authorization = true, cookie = true, ["proxy-authorization"] = true, host = true,
}
local OF_A_BODY = {
  ["content-length"] = true, ["content-type"] = true, ["content-encoding"] = true,
  ["content-language"] = true, ["content-location"] = true, expect = true,
}

--- Where a response leads, or nil when it is no redirect.
---@param res table
---@return string|nil location
function M.location(res)
  if not REDIRECTS[res.status] then return nil end
  return res.headers["location"] or res.headers["uri"]
end

local function without(flat, names)
  local left = {}
  for i = 1, #flat, 2 do
    if not names[flat[i]:lower()] then left[#left + 1], left[#left + 2] = flat[i], flat[i + 1] end
  end
  return left
end

-- The method of the next request, and whether the body goes along.
local function next_method(status, method)
  if status == 303 and method ~= "HEAD" then return "GET", false end
  if (status == 301 or status == 302) and method == "POST" then return "GET", false end
  return method, true
end

local function refuse(res, why)
  error(errors.TooManyRedirects(("%s %s: %s"):format(res.method, tostring(res._target.text), why),
    res:_facts()), 0)
end

-- A fragment stays when the new URL has none.
local function next_target(from, location)
  local to = target.parse(location, from.text, CLASSES)
  local fragment = from.text:match "#.*$"
  if fragment and not to.text:find("#", 1, true) then to.text = to.text .. fragment end
  if to.scheme == "ws" or to.scheme == "wss" then
    error(CLASSES.scheme(("'%s': a redirect to a WebSocket"):format(to.text:sub(1, 200)),
      { url = to.text }), 0)
  end
  return to
end

--- Changes the request into the one that follows the response. Raises TooManyRedirects,
--- InvalidUrlRedirectClientError, NonHttpUrlRedirectClientError.
---@param hop table what the next request is made of: method, target, headers (flat), body, auth,
---  cookies, how
---@param res table
---@param location string
---@param most integer
function M.follow(hop, res, location, most)
  if #hop.history > most then refuse(res, ("more than %d redirects"):format(most)) end
  local to = next_target(hop.target, location)
  local method, keeps_body = next_method(res.status, hop.method)
  if not keeps_body then
    hop.body, hop.headers, hop.expect = nil, without(hop.headers, OF_A_BODY), nil
  elseif hop.body and not hop.body.again then
    refuse(res, ("a redirect (%d) for which the body would have to be sent again, which a function "
      .. "or a stream cannot be; send a string or a file"):format(res.status))
  end
  hop.method = method
  if to.origin ~= hop.target.origin then
    hop.headers = without(hop.headers, FOR_ONE_ORIGIN)
    hop.auth, hop.cookies = nil, nil
    if hop.how and hop.how.server_hostname then
      hop.how = setmetatable({ server_hostname = false }, { __index = hop.how })
    end
  end
  if to.user then M.take_credentials(hop, to) end
  hop.target = to
end

--- Credentials that stand in the URL.
function M.take_credentials(hop, to)
  local auth = require "aio.http.auth"
  hop.auth = "Basic " .. auth.base64(to.user .. ":" .. (to.password or ""))
end

return M
