-- SPDX-License-Identifier: MIT
--
-- Two connected streams in memory, for tests (aio.testing): no descriptor and no system call, with
-- pieces and faults that a seed decides.

local core = require "aio.core"
local check = require "aio.check"
local stream = require "aio.stream"

local M = {}

local OPTIONS = {
  limit = "number", capacity = "number", chunk = "number", seed = "number", reset_after = "number",
}

local function count(opts, name, unset, least)
  local value = opts[name]
  if value == nil then return unset end
  local integer = math.tointeger(value)
  check.arg(integer and integer >= least, 1, "stream_pair",
    ("option '%s': an integer of at least %d expected, got %s"):format(name, least,
      tostring(value)))
  return integer
end

--- Two connected streams: what is written to one is read from the other, after a turn of the loop.
---@param opts? table limit (65536 bytes in a line), capacity (65536: bytes on the way before a
---  writer has to queue), chunk (any number: at most so many bytes at once), seed (pieces of 1 to
---  `chunk` bytes as the seed decides), reset_after (bytes in both directions together, after which
---  the connection is reset)
---@return table stream
---@return table stream
function M.stream_pair(opts)
  opts = check.options(opts, OPTIONS, 1, "stream_pair")
  local seed = count(opts, "seed", 0, math.mininteger)
  local chunk = count(opts, "chunk", 0, 1)
  -- The generator of pieces does not know 0, and neighbouring seeds shall not look alike.
  if opts.seed then seed = (seed ~ 0x5DEECE66D) * 0x2545F4914F6CDD1D | 1 end
  return core._stream_pair(stream.check_limit(opts.limit, 1, "stream_pair"),
    count(opts, "capacity", 65536, 1), chunk, seed, count(opts, "reset_after", 0, 1))
end

return M
