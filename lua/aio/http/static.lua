-- SPDX-License-Identifier: MIT
--
-- The files of a folder below a prefix: Application:static. Nothing outside of the folder can be
-- reached: paths are checked segment by segment, and links are followed before the file is opened.

local core = require "aio.core"
local check = require "aio.check"
local fs = require "aio.fs"
local exceptions = require "aio.http.exceptions"
local file = require "aio.http.file"
local redirect = require "aio.http.server_redirect"

local M = {}

local function not_found() error(exceptions.NotFound(), 0) end

-- What could mean a separator or the end of a name after decoding.
local SUSPICIOUS = { "%%2[fF]", "%%5[cC]", "%%00", "\\", "%z" }

-- A segment that names no file of the folder, or a hidden one.
local function refused(segment, hidden)
  if segment == "" or segment == "." or segment == ".." then return true end
  if segment:find "[%c\\/:\127]" then return true end
  return not hidden and segment:byte() == 46 and segment ~= ".well-known"
end

-- The path below the folder, "" for the folder itself; the second result: does it end with "/"?
local function relative(req, hidden)
  local raw, tail = req._path, req.match_info.tail or ""
  for _, pattern in ipairs(SUSPICIOUS) do
    if raw:find(pattern) then not_found() end
  end
  local folder = tail == "" or tail:sub(-1) == "/"
  tail = tail:gsub("/$", "")
  if tail ~= "" then
    for segment in (tail .. "/"):gmatch "([^/]*)/" do
      if refused(segment, hidden) then not_found() end
    end
  end
  return tail, folder
end

-- The real path of a name in the folder, which must be in it too.
local function inside(root, tail, follow)
  local ok, path = core.catch(core.OSError, fs.realpath, tail == "" and root or root .. "/" .. tail)
  if not ok then not_found() end
  local below = root == "/" and root or root .. "/"
  if not follow and path ~= root and path:sub(1, #below) ~= below then not_found() end
  return path
end

local OPTIONS = {
  name = "string", index = true, follow_symlinks = "boolean", hidden = "boolean",
  max_age = "number", precompressed = "boolean", headers = true,
}

local function response(opts, path, info)
  local res = file.file(path, {
    max_age = opts.max_age, headers = opts.headers, precompressed = opts.precompressed ~= false,
  })
  res._info = info
  res._no_links = not opts.follow_symlinks -- of its siblings
  return res
end

local function folder_index(req, root, opts, path, tail, ends)
  if not opts.index then not_found() end
  if not ends then return redirect.redirect(req._path:gsub("^/+", "/") .. "/", 301) end
  local name = opts.index == true and "index.html" or opts.index
  local below = inside(root, tail == "" and name or tail .. "/" .. name, opts.follow_symlinks)
  local info = file.stat(below)
  if info.type ~= "file" or path == below then not_found() end
  return response(opts, below, info)
end

-- A wrong path is told when the application starts, not by a 500 for each file. [suspends]
local function check_folder(prefix, dir)
  local ok, info = core.catch(core.OSError, fs.stat, dir)
  if not ok then info.message = ("static '%s': %s"):format(prefix, info.message) end
  if not ok then error(info, 0) end
  if info.type ~= "directory" then
    error(core.RuntimeError(("static '%s': %s is no folder"):format(prefix, dir)), 0)
  end
end

--- Adds the route.
---@param app table Application
---@param prefix string
---@param dir string
---@param opts? table name (for url_for, parameter `tail`), index (true: "index.html", or a name; a
---  folder has none otherwise), follow_symlinks (links may lead out of the folder), hidden (names
---  that begin with a dot too), max_age (seconds), precompressed (true), headers
---@return table route
function M.add(app, prefix, dir, opts)
  check.arg(type(prefix) == "string" and prefix:find "^/" and not prefix:find "[{}]", 1, "static",
    "a prefix like \"/static\" expected")
  check.arg(type(dir) == "string" and not dir:find "%z", 2, "static",
    "path of a folder expected, got " .. type(dir))
  opts = check.options(opts, OPTIONS, 3, "static")
  local root
  app.on_startup:append(function() check_folder(prefix, dir) end)
  local function serve(req)
    root = root or fs.realpath(dir)
    local tail, ends = relative(req, opts.hidden)
    local path = inside(root, tail, opts.follow_symlinks)
    local info = file.stat(path)
    if info.type == "directory" then return folder_index(req, root, opts, path, tail, ends) end
    if info.type ~= "file" or ends then not_found() end
    return response(opts, path, info)
  end
  local route = app:get(prefix:gsub("/+$", "") .. "/{tail:.*}", serve, { name = opts.name })
  route.user = nil
  return route
end

return M
