-- SPDX-License-Identifier: MIT
-- Memory fails while files are sent: over TCP by the kernel, in memory by hand, over a socket.
local aio = require "aio"
local stream_pair = require("aio.pair").stream_pair

local SIZE = 200000

local function send(file, conn, peer)
  local task = aio.create_task(function()
    local _ <close> = conn
    return conn:sendfile(file, 1, SIZE)
  end)
  local text = peer:read "a"
  peer:close()
  assert(#text <= SIZE)
  task:await()
end

aio.run(function()
  local loop = aio.get_running_loop()
  local file <close> = assert(io.tmpfile())
  file:write(("x"):rep(SIZE * 2))
  do
    local a <close>, b = aio.socketpair()
    local _ <close> = b
    assert(loop:sock_sendfile(a, file, 0, 1000) == 1000)
  end
  send(file, stream_pair())
  local accepted = aio.Future()
  local srv <close> = aio.start_server(function(conn) accepted:set_result(conn:detach()) end,
    "127.0.0.1", 0)
  local client <close> = aio.open_connection("127.0.0.1", srv.port)
  send(file, client, accepted:await())
end)
