-- SPDX-License-Identifier: MIT
--
-- Libraries of aio that not every installation has: each is loaded when it is first needed, and one
-- that is missing gives one clear error that says what to install.

local core = require "aio.core"

local M = {}

-- By its name: the module, what it is for, its rock, what to install on Debian to build it.
local LIBRARIES = {
  brotli = { "aio.brotli", "the content coding br needs", "aio-brotli", "libbrotli-dev" },
  jansson = { "aio.jansson", "JSON needs", "aio-json", "libjansson-dev" },
  zlib = { "aio.zlib", "gzip, deflate and permessage-deflate need", "aio-zlib", "zlib1g-dev" },
  zstd = { "aio.zstd", "the content coding zstd needs", "aio-zstd", "libzstd-dev" },
}

--- Loads a library. Raises RuntimeError when it is not installed.
---@param name string "brotli", "jansson", "zlib", "zstd"
---@return table library
function M.load(name)
  local library = LIBRARIES[name]
  local ok, loaded = pcall(require, library[1])
  if ok then return loaded end
  error(core.RuntimeError(("%s the library %s.so (in LuaRocks the rock %s, built with Debian's "
    .. "%s), which cannot be loaded: %s"):format(library[2], library[1]:gsub("%.", "/"), library[3],
    library[4], loaded)), 0)
end

--- Is the library there?
---@return boolean
function M.has(name) return (pcall(require, LIBRARIES[name][1])) end

return M
