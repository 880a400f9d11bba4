-- SPDX-License-Identifier: MIT
-- Workers and channels under stress for a little while, in a process of its own (tests/stress). The
-- seed is in the output; AIO_SEED sets it, AIO_SECONDS the time.

local env = require "support.env"
local lu = require "luaunit"

local T = {}

local SECONDS = 3

function T.test_calls_and_messages_are_neither_lost_nor_doubled()
  local pipe = assert(io.popen("exec 2>&1; exec env " .. env.command(("%s %g %d"):format(
    env.quote(env.root .. "/tests/stress/run.lua"), tonumber(os.getenv "AIO_SECONDS") or SECONDS,
    math.tointeger(tonumber(os.getenv "AIO_SEED")) or os.time()))))
  local text = pipe:read "a"
  local _, how, code = pipe:close()
  lu.assertEquals({ how, code }, { "exit", 0 }, text)
  lu.assertStrContains(text, "none lost, none twice")
end

return T
