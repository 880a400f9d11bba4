-- SPDX-License-Identifier: MIT
-- Memory fails in `write` of several pieces.
local pair = require "support.pair"

pair(function(conn)
  assert(conn:readexactly(5) == "ab123")
  conn:write("done")
end, function(conn)
  conn:write("a", { "b", 12 }, 3)
  assert(conn:read(4) == "done")
end)
