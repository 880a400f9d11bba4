-- SPDX-License-Identifier: MIT
-- Memory fails in `readuntil`.
local pair = require "support.pair"

pair(function(conn)
  conn:write("key=value;rest")
end, function(conn)
  assert(conn:readuntil("=") == "key=")
  assert(conn:readuntil({ ";", "," }) == "value;")
end)
