-- SPDX-License-Identifier: MIT
--
-- The body of a response into a file. It is written beside the file and takes its place at the end,
-- so that nobody sees half of it; with `append` it goes to the end of the file, so that a download
-- that was cut short can go on.

local core = require "aio.core"
local check = require "aio.check"
local fs = require "aio.fs"

local M = {}

local OPTIONS = { on_progress = "function", append = "boolean" }

-- What the system says when a file cannot be opened or written.
local function raise(path, message)
  error(core.OSError(("cannot write %s: %s"):format(path, message), { filename = path }), 0)
end

local function open(path, mode)
  local file, message = io.open(path, mode)
  if not file then raise(path, message) end
  return file
end

local function write(file, path, data)
  local ok, message = file:write(data)
  if not ok then raise(path, message) end
end

-- Copies all chunks; the number of bytes.
local function copy(res, file, path, progress)
  local done, total = 0, not res._body.codings and res._body:size() or nil
  for chunk in res:chunks() do
    write(file, path, chunk)
    done = done + #chunk
    if progress then core.atomic(progress, done, total) end
  end
  return done
end

local function copy_and_close(res, path, mode, progress)
  local file = open(path, mode)
  local ok, done = pcall(copy, res, file, path, progress)
  local closed, message = file:close()
  if not ok then error(done, 0) end
  if not closed then raise(path, message) end
  return done
end

--- See Response:save.
function M.save(res, path, opts)
  check.arg(type(path) == "string" and path ~= "", 1, "save", "path expected, got " .. type(path))
  opts = check.options(opts, OPTIONS, 2, "save")
  if opts.append then return copy_and_close(res, path, "ab", opts.on_progress) end
  local beside = ("%s.%s.part"):format(path, core._random(6):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
  local ok, done = pcall(copy_and_close, res, beside, "wb", opts.on_progress)
  if ok then ok, done = pcall(function()
    fs.rename(beside, path)
    return done
  end) end
  if ok then return done end
  os.remove(beside)
  res:close()
  error(done, 0)
end

return M
