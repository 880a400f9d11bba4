-- SPDX-License-Identifier: MIT
-- Copying every kind of value.
local core = require "aio.core"
local aio = require "aio"

local shared = { ("long "):rep(2000) }
local count = 1
local function f(n) count = count + n return count, shared, string.format end
local Mine = aio.RuntimeError:extend "Mine"
local var = aio.ContextVar("v", { default = {} })
local channel = aio.Channel(3)
local err = Mine("text", { errors = { aio.LookupError "x" } })
local t, g, h, e, v, c = core._copy({ shared, shared, [shared] = 1, 1, 2.5, true }, f,
  function() return f end, err, var, { channel })
assert(t[1] == t[2] and t[t[1]] == 1)
assert(g(1) == 2 and h() == g)
assert(e.errors[1].message == "x" and aio.is(e, Mine) and v == var and c[1] == channel)
print "copied"
