-- SPDX-License-Identifier: MIT
--
-- aio.open. Files themselves are in C (bind/file.c).

local core = require "aio.core"
local check = require "aio.check"
local paths = require "aio.path"

local M = {}

-- Seconds between two tries to open a FIFO that nobody reads yet: doubled from the first on.
local FIRST_TRY, LAST_TRY = 0.001, 0.05

--- Opens a file, as io.open does; its methods are those of Lua's files, and may suspend. [suspends]
--- A FIFO that is opened for writing waits until somebody reads it. Raises OSError (`code`,
--- `filename`): ENOENT, EACCES, EISDIR, EMFILE.
---@param path string
---@param mode? string "r" (when unset), "w", "a", each also with "+", and "b", which does nothing;
---  "wx": the file must be new
---@param opts? table mode (permissions of a file that is new: "666", less the umask)
---@return table file
function M.open(path, mode, opts)
  path = paths.check(path, 1, "open")
  if mode == nil then mode = "r" end
  local rest = type(mode) == "string" and mode:match "^[rwa]([+bx]*)$"
  check.arg(rest and rest:find "^b?%+?b?x?$" and not (rest:find "x" and mode:find "^[ra]"), 2,
    "open", "invalid mode; \"r\", \"w\", \"a\", with \"+\" or \"b\" behind it, expected")
  opts = check.options(opts, { mode = true }, 3, "open")
  paths.check_mode(opts.mode, "mode", 3, "open")
  local pause = FIRST_TRY
  while true do
    local file = core._open(path, mode, opts.mode)
    if file then return file end
    core.sleep(pause)
    pause = math.min(2 * pause, LAST_TRY)
  end
end

return M
