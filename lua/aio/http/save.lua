-- SPDX-License-Identifier: MIT
--
-- The body of a response into a file. It is written beside the file and takes its place at the end,
-- so that nobody sees half of it; with `append` it goes to the end of the file, so that a download
-- that was cut short can go on.

local core = require "aio.core"
local check = require "aio.check"
local files = require "aio.file"
local fs = require "aio.fs"

local M = {}

local OPTIONS = { on_progress = "function", append = "boolean" }

-- Copies all chunks; the number of bytes.
local function copy(res, path, mode, progress)
  local total = not res._body.codings and res._body:size() or nil
  local file <close> = files.open(path, mode)
  local done = 0
  for chunk in res:chunks() do
    file:write(chunk)
    done = done + #chunk
    if progress then core.atomic(progress, done, total) end
  end
  file:close() -- what could not be written raises here
  return done
end

-- Makes the file at once, and returns the mode to open it with: an open of aio's that is cancelled
-- has its effect all the same, and could make a file behind the removal.
local function make(path)
  local file = io.open(path, "wb")
  if file then file:close() end
  return file and "r+" or "w" -- which says what is wrong
end

local function save_beside(res, path, beside, progress)
  local done = copy(res, beside, make(beside), progress)
  fs.rename(beside, path)
  return done
end

--- See Response:save.
function M.save(res, path, opts)
  check.arg(type(path) == "string" and path ~= "", 1, "save", "path expected, got " .. type(path))
  opts = check.options(opts, OPTIONS, 2, "save")
  local ok, done
  if opts.append then
    ok, done = pcall(copy, res, path, "a", opts.on_progress)
  else
    local beside = ("%s.%s.part"):format(path, core._random(6):gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end))
    ok, done = pcall(save_beside, res, path, beside, opts.on_progress)
    if not ok then os.remove(beside) end
  end
  if ok then return done end
  res:close()
  error(done, 0)
end

return M
