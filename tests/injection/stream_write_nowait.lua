-- SPDX-License-Identifier: MIT
-- Memory fails in `write_nowait`, `writelines` and `drain`.
local pair = require "support.pair"

pair(function(conn)
  assert(conn:readexactly(9) == "onetwothr")
  conn:write("done")
end, function(conn)
  conn:write_nowait("one")
  conn:writelines({ "two", "thr" })
  conn:drain()
  assert(conn:read(4) == "done")
end)
