-- x_sock_cancel: sock_recv after the end, sock_connect refused, cancelling sock_accept and
-- sock_recv
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local t = aio.create_task(loop.sock_recv, loop, a, 10)
  aio.sleep(0.002)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
  loop:sock_sendall(b, "kept")
  say(loop:sock_recv(a, 2), loop:sock_recv(a, 100))
  b:close()
  say(loop:sock_recv(a, 10) == nil)
  a:close()
  local srv = aio.socket()
  srv:bind("127.0.0.1", 0)
  local host, port = srv:getsockname()
  local c = aio.socket()
  local ok, e = aio.catch(aio.OSError, loop.sock_connect, loop, c, host, port)
  if not ok and e.code == "ECONNREFUSED" then say("refused") end
  c:close()
  srv:listen()
  t = aio.create_task(loop.sock_accept, loop, srv)
  aio.sleep(0.002)
  t:cancel()
  aio.wait { t }
  c = aio.socket()
  loop:sock_connect(c, host, port)
  local s, _, peerport = loop:sock_accept(srv)
  say("accepted", peerport == select(2, c:getsockname()))
  for _, x in ipairs { s, c, srv } do x:close() end
end)
