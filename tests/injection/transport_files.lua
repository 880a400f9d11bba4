-- SPDX-License-Identifier: MIT
-- Memory fails while a file is sent through a transport, and over transports of a socket pair.
local aio = require "aio"

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local _ <close> = aio.defer(b.close, b)
  local lost = aio.Event()
  local _ <close> = aio.timeout(20)
  local tr = loop:create_connection(function()
    return { connection_lost = function() lost:set() end }
  end, nil, nil, { sock = a })
  local _ <close> = aio.defer(tr.abort, tr)
  local f <close> = assert(io.tmpfile(), "not enough memory")
  f:write(("x"):rep(1 << 20))
  local reader = aio.create_task(function()
    while loop:sock_recv(b, 262144) do end
  end)
  assert(loop:sendfile(tr, f) == 1 << 20)
  tr:close()
  lost:wait()
  reader:await()
end)
