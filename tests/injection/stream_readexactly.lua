-- SPDX-License-Identifier: MIT
-- Memory fails in `readexactly`.
local pair = require "support.pair"

pair(function(conn)
  conn:write("abc")
  conn:write("defgh")
end, function(conn)
  assert(conn:readexactly(8) == "abcdefgh")
end)
