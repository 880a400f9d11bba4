-- SPDX-License-Identifier: MIT
--
-- aio.fs: files and folders by their paths. The calls themselves are in C (bind/fs.c), one job of
-- the thread pool each; here is what combines several.

local core = require "aio.core"
local check = require "aio.check"
local file = require "aio.file"
local paths = require "aio.path"

local raw = core._fs
local check_path, check_mode, join, above = paths.check, paths.check_mode, paths.join, paths.above
local fs = {}

-- All of these suspend, and raise OSError (`code`, `filename`).
for _, name in ipairs { "stat", "lstat", "rmdir", "rename", "link", "readlink", "realpath", "chmod",
  "chown", "utime", "scandir" } do
  fs[name] = raw[name]
end

--- Calls a function that may fail: nil and its OSError when that has one of the codes, else what it
--- returns.
local function try(codes, fn, ...)
  local ok, result = core.catch(core.OSError, fn, ...)
  if ok then return result, nil end
  if not codes[result.code] then error(result, 0) end
  return nil, result
end

-- ---- folders ----

local MISSING, THERE = { ENOENT = true }, { EEXIST = true }

local function is_folder(path)
  local stat = try({ ENOENT = true, ENOTDIR = true }, raw.stat, path)
  return stat and stat.type == "directory"
end

local function make_parents(path, mode)
  local _, missing = try(MISSING, raw.mkdir, path, mode)
  if not missing then return end
  local folder = above(path)
  if not folder then error(missing, 0) end
  -- others may make the same folders meanwhile
  local _, there = try(THERE, make_parents, folder)
  if there and not is_folder(folder) then error(there, 0) end
  raw.mkdir(path, mode)
end

--- Makes a folder. [suspends] Raises OSError: EEXIST, ENOENT (a folder above it is missing).
---@param path string
---@param opts? table parents (true: those above it too, and it is no error when it is there), mode
function fs.mkdir(path, opts)
  path = check_path(path, 1, "mkdir")
  opts = check.options(opts, { parents = "boolean", mode = true }, 2, "mkdir")
  check_mode(opts.mode, "mode", 2, "mkdir")
  if not opts.parents then
    raw.mkdir(path, opts.mode)
    return
  end
  local _, there = try(THERE, make_parents, path, opts.mode)
  if there and not is_folder(path) then error(there, 0) end
end

-- For systems without remove_tree. What vanishes meanwhile is gone, as it should be. A link is
-- removed, not what it leads to.
local function remove_all(path)
  for _, entry in ipairs(try(MISSING, raw.scandir, path) or {}) do
    local inner = join(path, entry.name)
    local type = entry.type
    if type == "unknown" then type = (try(MISSING, raw.lstat, inner) or entry).type end
    if type == "directory" then
      remove_all(inner)
    else
      try(MISSING, raw.unlink, inner)
    end
  end
  try(MISSING, raw.rmdir, path)
end

-- The system refuses to remove these, but would do so only when they are empty already.
local function refuse_to_empty(path)
  local last = paths.base(path)
  if path == "" or last and last ~= "." and last ~= ".." then return end
  error(core.OSError(('remove: it is refused to remove "/", "." and "..": %s; name the folder')
    :format(path), { code = "EINVAL", syscall = "remove", filename = path }), 0)
end

--- Removes a file or a link. [suspends] Raises OSError: ENOENT; EISDIR of a folder.
---@param path string
---@param opts? table recursive (true: a folder too, with all that is in it; links are not followed;
---  EINVAL when the path ends with "." or "..", or is "/")
function fs.remove(path, opts)
  path = check_path(path, 1, "remove")
  opts = check.options(opts, { recursive = "boolean" }, 2, "remove")
  if not opts.recursive then
    raw.unlink(path)
    return
  end
  refuse_to_empty(path)
  local _, by_paths = raw.remove_tree(path)
  if not by_paths then return end
  local remove_it = raw.lstat(path).type == "directory" and remove_all or raw.unlink
  remove_it(path)
end

--- Makes a symbolic link. [suspends] Raises OSError: EEXIST.
---@param target string what it leads to, seen from where the link is; need not exist
---@param path string
---@param opts? table for Windows: dir (true: it leads to a folder), junction
function fs.symlink(target, path, opts)
  target = check_path(target, 1, "symlink")
  path = check_path(path, 2, "symlink")
  opts = check.options(opts, { dir = "boolean", junction = "boolean" }, 3, "symlink")
  raw.symlink(target, path, (opts.dir and 1 or 0) | (opts.junction and 2 or 0))
end

-- The template that the system makes a name of.
local function template(prefix, name)
  if prefix ~= nil then prefix = check_path(prefix, 1, name) end
  return (prefix or join(core._tmpdir(), "aio-")) .. ("X"):rep(6)
end

--- Makes a new folder that only this user can enter. [suspends] It is not removed by itself. Raises
--- OSError.
---@param prefix? string path that the new one begins with; unset: "aio-" in the system's folder for
---  such
---@return string path
function fs.mkdtemp(prefix) return raw.mkdtemp(template(prefix, "mkdtemp")) end

--- Makes and opens a new file, mode "w+", that only this user can read. [suspends] It is not
--- removed by itself. Raises OSError.
---@param prefix? string as of mkdtemp
---@return table file, string path
function fs.mkstemp(prefix) return core._mkstemp(template(prefix, "mkstemp")) end

-- ---- walk ----

local WALK_OPTIONS = { bottom_up = "boolean", follow = "boolean", on_error = "function" }

-- Names of folders and of all else in a folder.
local function split(folder, follow)
  local folders, files = {}, {}
  for _, entry in ipairs(raw.scandir(folder)) do
    local type = entry.type
    if type == "unknown" or type == "link" and follow then
      local stat = try({ ENOENT = true, ELOOP = true, EACCES = true },
        follow and raw.stat or raw.lstat, join(folder, entry.name))
      type = stat and stat.type or type
    end
    local list = type == "directory" and folders or files
    list[#list + 1] = entry.name
  end
  return folders, files
end

-- A folder that has been entered already: links can lead in circles.
local function seen_before(seen, folder)
  local stat = raw.stat(folder)
  local key = stat.dev .. ":" .. stat.ino
  if seen[key] then return true end
  seen[key] = true
  return false
end

-- The content of a folder, or nil when it cannot be read and somebody was told.
local function enter(folder, opts, seen)
  local ok, folders, files = core.catch(core.OSError, function()
    if opts.follow and seen_before(seen, folder) then return false end
    return split(folder, opts.follow)
  end)
  if ok then return folders or nil, files end
  if not opts.on_error then error(folders, 0) end
  opts.on_error(folders)
  return nil
end

--- The folders below a path, itself first, one at each step of a `for`: its path, a list of the
--- names of folders in it and a list of all other names. Names that are taken out of the first list
--- are not entered. The steps suspend. Raises OSError, unless there is `on_error`.
---@param path string
---@param opts? table bottom_up (true: what is in a folder comes before it), follow (true: links to
---  folders too, each folder once), on_error (called with the OSError of a folder that cannot be
---  read, which is then left out)
---@return function
function fs.walk(path, opts)
  path = check_path(path, 1, "walk")
  opts = check.options(opts, WALK_OPTIONS, 2, "walk")
  local seen, stack = {}, { { path = path } }

  local function push_inner(step)
    for i = #step.folders, 1, -1 do
      stack[#stack + 1] = { path = join(step.path, step.folders[i]) }
    end
  end

  local above_it -- the folder that was given last, whose list may have been edited
  return function()
    if above_it then push_inner(above_it) end
    above_it = nil
    while #stack > 0 do
      local step = stack[#stack]
      if step.files then -- it has come up again
        stack[#stack] = nil
        return step.path, step.folders, step.files
      end
      step.folders, step.files = enter(step.path, opts, seen)
      if not step.folders then
        stack[#stack] = nil
      elseif opts.bottom_up then
        push_inner(step)
      else
        stack[#stack] = nil
        above_it = step
        return step.path, step.folders, step.files
      end
    end
  end
end

-- ---- watch ----

--- Watches a file or a folder: an object that gives the next event at each call, so `for event in
--- watch do`, until it is closed. An event is a table: `type` "change" (content or attributes),
--- "rename" (made, removed, or renamed from or to this name) or "overflow" (so much happened that
--- single events were lost), `path` and `name`, the last part of it. A file that is replaced, or
--- removed and made again, is still watched, and so is a folder; what is in its folders is not.
--- [suspends] Raises OSError: ENOENT, ENOSPC (the system's limit of watches).
---@param path string
---@param opts? table none yet: `recursive` is refused, since not every system can do it
---@return table watch with `close`, also by <close>
function fs.watch(path, opts)
  path = check_path(path, 1, "watch")
  opts = check.options(opts, { recursive = "boolean" }, 2, "watch")
  check.arg(not opts.recursive, 2, "watch",
    "option 'recursive': a watch is of one folder; make one for each that aio.fs.walk finds")
  local real = raw.realpath(path)
  local of_folder = raw.stat(real).type == "directory"
  return core._fs_watch(real, above(real) or real, paths.base(real) or real, of_folder, path)
end

-- ---- files ----

--- Copies a file with its permissions, in one job, by the kernel where it can. [suspends] Raises
--- OSError: ENOENT; EISDIR; EEXIST with `exclusive`.
---@param from string
---@param to string is replaced, or made
---@param opts? table exclusive (true: `to` must not exist)
function fs.copyfile(from, to, opts)
  from = check_path(from, 1, "copyfile")
  to = check_path(to, 2, "copyfile")
  opts = check.options(opts, { exclusive = "boolean" }, 3, "copyfile")
  local _, special = raw.copyfile(from, to, opts.exclusive and 1 or 0)
  if special then
    local it = raw.stat(from).type == "file" and to or from
    error(core.OSError(("copyfile: no regular file: %s; open it with aio.open"):format(it),
      { code = "EINVAL", syscall = "copyfile", filename = it }), 0)
  end
end

--- The whole of a file, in one job. [suspends] What grows meanwhile is read to the end that it had
--- when it was opened. Raises OSError: ENOENT, EACCES, EISDIR.
---@param path string
---@return string
function fs.read(path)
  path = check_path(path, 1, "read")
  local data, opened = raw.read(path)
  if not opened then return data end
  local f <close> = opened
  return f:read "a"
end

local WRITE_OPTIONS = { mode = true, sync = "boolean" }

--- Makes data the whole of a file, in one job: whoever reads it meanwhile, or after a crash, sees
--- all of the old content or all of the new one. A new file is written in the same folder, synced
--- and renamed; it has the permissions of the old one. A link stays: the file that it leads to is
--- replaced. [suspends] Cancelled, it happens wholly or not at all. Raises OSError.
---@param path string
---@param data string|number|table a list of such
---@param opts? table mode (of a file that is new: "666", less the umask), sync (false: after a
---  crash of the system the file may be empty)
function fs.write(path, data, opts)
  path = check_path(path, 1, "write")
  opts = check.options(opts, WRITE_OPTIONS, 3, "write")
  check_mode(opts.mode, "mode", 3, "write")
  if type(data) == "table" then
    for i = 1, #data do
      local kind = type(data[i])
      check.arg(kind == "string" or kind == "number", 2, "write",
        ("strings and numbers expected in the list, got %s"):format(kind))
    end
    data = table.concat(data)
  end
  check.arg(type(data) == "string" or type(data) == "number", 2, "write",
    "string, number or list of them expected, got " .. type(data))
  local _, special = raw.write(path, data, opts.mode, opts.sync == false and 0 or 1)
  if not special then return end
  local f <close> = file.open(path, "w")
  f:write(data)
  f:flush()
end

return fs
