-- SPDX-License-Identifier: MIT
-- Memory fails while a sender to a Unix socket has to wait, and is closed while it waits.
local aio = require "aio"

aio.run(function()
  local path = os.tmpname()
  os.remove(path)
  local server <close> = aio.open_datagram { local_addr = path, queue = 1 }
  local sender <close> = aio.open_datagram { local_addr = path .. ".sender" }
  local task = aio.create_task(function()
    while true do sender:send("x", path) end
  end)
  for _ = 1, 20 do aio.select { { server, "recv" }, { sleep = 1 } } end
  sender:close()
  local ok, err = aio.catch(aio.OSError, task.await, task)
  assert(not ok and err.code == "ECONNABORTED")
end)
