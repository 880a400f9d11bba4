-- SPDX-License-Identifier: MIT
-- Memory fails in `read`.
local pair = require "support.pair"

pair(function(conn)
  conn:write("hello")
end, function(conn)
  assert(conn:read(100) == "hello")
end)
