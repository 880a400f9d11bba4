-- SPDX-License-Identifier: MIT
-- Memory fails in a `write` that waits until a slow reader has made room.
local pair = require "support.pair"

pair(function(conn)
  local n = 0
  for chunk in function() return conn:read(65536) end do n = n + #chunk end
  conn:write(tostring(n))
end, function(conn)
  conn:write(("x"):rep(8 << 20))
  conn:write_eof()
  assert(conn:read("a") == tostring(8 << 20))
end)
