-- SPDX-License-Identifier: MIT
-- Memory fails in Unix socket servers and connections.
local aio = require "aio"

aio.run(function()
  local path = "\0aio-injection"
  local _ <close> = aio.start_unix_server(function(conn)
    conn:write(conn:readline())
  end, path)
  local conn <close> = aio.open_unix_connection(path)
  conn:write("hello\n")
  assert(conn:readline() == "hello\n")
end)
