-- SPDX-License-Identifier: MIT
-- Memory fails in `readline` and `lines`.
local pair = require "support.pair"

pair(function(conn)
  conn:write("one\ntwo\nthree\n")
  conn:write_eof()
end, function(conn)
  assert(conn:readline() == "one\n")
  local n = 0
  for line in conn:lines() do n = n + #line end
  assert(n == #"two" + #"three")
end)
