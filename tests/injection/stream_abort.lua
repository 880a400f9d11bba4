-- SPDX-License-Identifier: MIT
-- Memory fails in `abort` while the peer writes.
local pair = require "support.pair"

pair(function(conn)
  conn:write(("x"):rep(1 << 20))
end, function(conn)
  assert(conn:read(1) == "x")
  conn:abort()
  conn:wait_closed()
end)
