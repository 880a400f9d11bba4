-- SPDX-License-Identifier: MIT
-- Memory fails in `read("a")`, over several chunks.
local pair = require "support.pair"

pair(function(conn)
  conn:write(("x"):rep(200000))
  conn:write_eof()
end, function(conn)
  assert(#conn:read("a") == 200000)
end)
