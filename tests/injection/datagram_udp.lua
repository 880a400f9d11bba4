-- SPDX-License-Identifier: MIT
-- Memory fails between two UDP endpoints: in opening, sending, receiving, and in the errors.
local aio = require "aio"

aio.run(function()
  local server <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
  local at = server:get_extra_info "sockname"
  local client = aio.open_datagram { remote_addr = at }
  local echo = aio.create_task(function()
    for data, from in server:datagrams() do server:send(data, from) end
  end)
  client:send("hello")
  -- a datagram may be lost for want of memory
  aio.select { { client, "recv" }, { sleep = 1 } }
  client:send(("x"):rep(10000))
  local ok, data = aio.catch(aio.TimeoutError, aio.timeout, 1, client.recv, client)
  assert(not ok or #data == 5 or #data == 10000)
  aio.catch(aio.OSError, client.send, client, ("x"):rep(70000))
  client:close()
  server:close()
  echo:await()
end)
