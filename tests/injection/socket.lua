-- SPDX-License-Identifier: MIT
-- Memory fails among plain sockets: in making, connecting, waiting both ways, and in callbacks.
local aio = require "aio"

aio.run(function()
  local loop = aio.get_running_loop()
  local srv <close> = aio.socket()
  srv:bind("127.0.0.1", 0)
  srv:listen()
  local task = aio.create_task(function()
    local s <close> = loop:sock_accept(srv)
    loop:sock_sendall(s, (loop:sock_recv(s, 100) or ""):upper())
  end)
  local c <close> = aio.socket()
  loop:sock_connect(c, srv:getsockname())
  loop:sock_sendall(c, "hello")
  local data = loop:sock_recv(c, 100)
  assert(data == nil or data == "HELLO")
  task:await()
  local a <close>, b = aio.socketpair()
  local _ <close> = b
  local called = loop:create_future()
  loop:add_reader(a, function()
    loop:remove_reader(a)
    called:set_result(a:recv(10))
  end)
  loop:add_writer(a, function() loop:remove_writer(a) end)
  b:send "x"
  aio.timeout(5, called.await, called)
  local sending = aio.create_task(loop.sock_sendall, loop, a, ("x"):rep(1000000))
  aio.sleep(0)
  a:close()
  pcall(sending.await, sending)
end)
