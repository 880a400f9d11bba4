-- SPDX-License-Identifier: MIT
-- Two plain streams: see machine.lua.

local stream_pair = require("aio.pair").stream_pair
local input = require "input"
local machine = require "machine"

local PIECES = 40 -- what goes in one direction comes in about so many

return input.target(function(i)
  local capacity = i:int(1, 4096)
  local chunk = i:int(1, i:one_in(4) and 20000 or 64)
  local a, b = stream_pair {
    limit = i:int(1, 4096), capacity = capacity, chunk = chunk,
    seed = i:one_in(2) and i:int(0, 255) or nil,
  }
  machine.run(i, a, b, PIECES * math.min(capacity, chunk))
end)
