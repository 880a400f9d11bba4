-- SPDX-License-Identifier: MIT
-- Memory fails while a read is cancelled and the data still arrives.
local aio = require "aio"
local pair = require "support.pair"

pair(function(conn)
  aio.sleep(1)
  conn:write("late")
end, function(conn)
  local reader = aio.create_task(conn.read, conn, 10)
  aio.sleep(0)
  reader:cancel()
  aio.catch(aio.CancelledError, reader.await, reader)
  assert(conn:read(10) == "late")
end)
