-- SPDX-License-Identifier: MIT
-- Memory fails in `close` with unsent data, `wait_closed`.
local pair = require "support.pair"

pair(function(conn)
  assert(#conn:read("a") == 1 << 20)
end, function(conn)
  conn:write_nowait(("x"):rep(1 << 20))
  conn:close()
  conn:wait_closed()
end)
