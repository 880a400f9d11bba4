-- SPDX-License-Identifier: MIT
--
-- A middleware of servers for paths that are nearly right: a slash too few or too many. It looks
-- only at requests without a route, and sends the client to the path that has one.

local check = require "aio.check"
local redirect = require "aio.http.server_redirect"

local M = {}

local OPTIONS = {
  append_slash = "boolean", remove_slash = "boolean", merge_slashes = "boolean", status = "number",
}

-- What may be meant by a path, as it stands in the request line; nearest first.
local function meant(opts, path)
  local list, merged = {}, path
  if opts.merge_slashes ~= false then
    merged = path:gsub("//+", "/")
    list[1] = merged
  end
  for _, one in ipairs(merged == path and { path } or { path, merged }) do
    if opts.append_slash and one:byte(-1) ~= 47 then list[#list + 1] = one .. "/" end
    if opts.remove_slash and one:byte(-1) == 47 then list[#list + 1] = one:sub(1, -2) end
  end
  return list
end

-- The path that has a route; nil when there is none. One that begins with two slashes, or has
-- backslashes, would be the place of another site for a browser.
local function found(opts, req, routes)
  local path = req._path:gsub("^//+", "/")
  if path:find "^/" == nil or path:find "[\\\128-\255]" then return nil end
  for _, one in ipairs(meant(opts, path)) do
    if one ~= "" and one ~= req._path and not routes:find(req.method, one, req.host).missing then
      return one
    end
  end
end

--- A middleware that redirects requests without a route, when the path with a slash more or less
--- at its end, or with single slashes, has one. The query is kept.
---@param opts? table append_slash (true), remove_slash (false; true: instead of append_slash),
---  merge_slashes (true), status (308; or 301, 302, 303, 307)
---@return function middleware
function M.normalize_path(opts)
  opts = check.options(opts, OPTIONS, 1, "normalize_path")
  check.arg(not (opts.append_slash and opts.remove_slash), 1, "normalize_path",
    "one of 'append_slash' and 'remove_slash' expected, not both")
  local status = opts.status or 308
  check.arg(status == 301 or status == 302 or status == 303 or status == 307 or status == 308, 1,
    "normalize_path", "option 'status': 301, 302, 303, 307 or 308 expected, got " .. status)
  local rules = {
    append_slash = opts.append_slash ~= false and not opts.remove_slash,
    remove_slash = opts.remove_slash, merge_slashes = opts.merge_slashes,
  }
  return function(req, next)
    local routes = req.route.missing and not req._allowed and req._c.settings.routes
    local path = routes and found(rules, req, routes)
    if not path then return next(req) end
    local query = req.query_string
    return redirect.redirect(query ~= "" and path .. "?" .. query or path, status)
  end
end

return M
