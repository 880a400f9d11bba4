-- SPDX-License-Identifier: MIT
-- Plain sockets: the system's calls, and those of the loop that wait.

local lu = require "luaunit"
local aio = require "aio"
local sockets = require "support.sockets"
local streams = require "support.streams"

local code_of, refused = sockets.code_of, sockets.refused
local with_loop, with_pair = sockets.with_loop, sockets.with_pair
local listening, tcp_pair = sockets.listening, sockets.tcp_pair
local raised, turns = streams.raised, streams.turns
local BIG = streams.BIG

local T = {
  TestCalls = {}, TestOptions = {}, TestWaiting = {}, TestErrors = {}, TestDebug = {},
}

-- ---- what never waits; no loop is needed ----

function T.TestCalls.test_a_pair_without_a_loop()
  local a <close>, b = aio.socketpair()
  local _ <close> = b
  lu.assertEquals(a:send("hello"), 5)
  lu.assertEquals(b:recv(3), "hel")
  lu.assertEquals(b:recv(100), "lo")
  local err = raised(aio.OSError, b.recv, b, 1)
  lu.assertEquals({ err.code, err.syscall }, { "EAGAIN", "recv" })
  a:shutdown "wr"
  lu.assertNil(b:recv(1))
  lu.assertEquals(code_of(a.send, a, "x"), "EPIPE")
  lu.assertEquals(b:send("back"), 4)
  lu.assertEquals(a:recv(10), "back")
end

function T.TestCalls.test_a_long_message()
  local a <close>, b = aio.socketpair()
  local _ <close> = b
  local sent = a:send(("x"):rep(1000000))
  local got = 0
  while got < sent do got = got + #b:recv(1000000) end
  lu.assertEquals(got, sent)
end

function T.TestCalls.test_tcp_without_waiting()
  local srv <close> = listening("inet", "127.0.0.1", 0)
  local host, port = srv:getsockname()
  lu.assertEquals(host, "127.0.0.1")
  lu.assertEquals(code_of(srv.accept, srv), "EAGAIN")
  local c <close> = aio.socket("inet", "stream")
  local ok, err = pcall(c.connect, c, host, port)
  lu.assertTrue(ok or err.code == "EINPROGRESS")
  if not ok then lu.assertStrContains(err.message, "sock_connect") end
  local s <close>, peer, peer_port = srv:accept()
  lu.assertEquals({ peer, peer_port }, { c:getsockname() })
  lu.assertEquals({ s:getpeername() }, { c:getsockname() })
  s:send "x"
  lu.assertEquals(c:recv(1), "x")
  c:shutdown()
end

function T.TestCalls.test_udp()
  local a <close> = aio.socket("inet", "dgram")
  local b <close> = aio.socket(nil, "dgram")
  a:bind("127.0.0.1", 0)
  b:bind { host = "127.0.0.1", port = 0 }
  local host, port = a:getsockname()
  lu.assertEquals(b:sendto("hello", host, port), 5)
  lu.assertEquals(b:sendto("", { host, port }), 0)
  lu.assertEquals({ a:recvfrom(100) }, { "hello", b:getsockname() })
  local data, from = a:recvfrom(100) -- empty, and not the end
  lu.assertEquals({ data, from }, { "", "127.0.0.1" })
  b:connect(host, port)
  b:send "cut short"
  lu.assertEquals(a:recv(3), "cut")
  lu.assertEquals(code_of(a.recv, a, 1), "EAGAIN")
end

function T.TestCalls.test_inet6()
  local ok, srv = pcall(listening, "inet6", "::1", 0)
  if not ok then return lu.skip "no IPv6 here" end
  local _ <close> = srv
  local host, port = srv:getsockname()
  lu.assertEquals(host, "::1")
  lu.assertEquals(math.type(port), "integer")
  lu.assertStrContains(refused(srv.bind, srv, "127.0.0.1", 0), "family")
end

function T.TestCalls.test_unix_sockets_and_abstract_names()
  local path = os.tmpname()
  os.remove(path)
  for _, name in ipairs { path, "\0aio-test-" .. path } do
    local srv <close> = listening("unix", name)
    local c <close> = aio.socket "unix"
    c:connect(name)
    local s <close>, peer = srv:accept()
    lu.assertEquals({ srv:getsockname() }, { name })
    lu.assertEquals({ c:getpeername() }, { name })
    lu.assertEquals({ peer, s:getpeername() }, { "", "" })
    s:send "x"
    lu.assertEquals(c:recv(1), "x")
  end
  os.remove(path)
end

function T.TestCalls.test_unix_packets_keep_their_bounds()
  for _, kind in ipairs { "dgram", "seqpacket" } do
    local a <close>, b = aio.socketpair("unix", kind)
    local _ <close> = b
    a:send "one"
    a:send "two"
    lu.assertEquals(b:recv(100), "one")
    lu.assertEquals(b:recv(100), "two")
  end
end

function T.TestCalls.test_fileno_detach_and_close()
  local a, b = aio.socketpair()
  local fd = a:fileno()
  lu.assertEquals(math.type(fd), "integer")
  lu.assertEquals(a:detach(), fd)
  lu.assertNil(a:fileno())
  lu.assertStrContains(tostring(a), "closed")
  lu.assertStrContains(tostring(b), ("Socket (%d)"):format(b:fileno()))
  a:close()
  lu.assertEquals(code_of(b.recv, b, 1), "EAGAIN") -- the other end is still there
  b:close()
  b:close()
  lu.assertStrContains(refused(b.recv, b, 1), "this socket is closed")
  lu.assertStrContains(refused(b.detach, b), "this socket is closed")
  local c <close> = aio.socket { fileno = fd }
  lu.assertEquals(c:fileno(), fd)
  lu.assertNil(c:recv(1))
end

function T.TestCalls.test_taking_over_a_descriptor()
  local a <close> = aio.socket("inet", "dgram")
  a:bind("127.0.0.1", 0)
  local host, port = a:getsockname()
  local b <close> = aio.socket { fileno = a:detach() }
  lu.assertEquals({ b:getsockname() }, { host, port })
  b:sendto("", host, port)
  lu.assertEquals(b:recv(10), "") -- its type is known
  lu.assertEquals(code_of(aio.socket, { fileno = 99999 }), "EBADF")
  lu.assertStrContains(refused(aio.socket, {}), "fileno")
end

-- ---- options ----

function T.TestOptions.test_by_name()
  local s <close> = aio.socket()
  for _, name in ipairs { "reuseaddr", "reuseport", "broadcast", "keepalive", "oobinline",
    "nodelay" } do
    lu.assertFalse(s:getsockopt(name))
    s:setsockopt(name, true)
    lu.assertTrue(s:getsockopt(name), name)
    s:setsockopt(name, false)
    lu.assertFalse(s:getsockopt(name), name)
  end
  for name, value in pairs { keepidle = 77, keepintvl = 7, keepcnt = 3, ttl = 5 } do
    s:setsockopt(name, value)
    lu.assertEquals(s:getsockopt(name), value)
  end
  s:setsockopt("rcvbuf", 20000)
  lu.assertTrue(s:getsockopt "rcvbuf" >= 20000)
  lu.assertFalse(s:getsockopt "acceptconn")
  s:listen()
  lu.assertTrue(s:getsockopt "acceptconn")
  lu.assertNil(s:getsockopt "error")
end

function T.TestOptions.test_linger()
  local s <close> = aio.socket()
  lu.assertFalse(s:getsockopt "linger")
  s:setsockopt("linger", 0)
  lu.assertEquals(s:getsockopt "linger", 0)
  s:setsockopt("linger", 9)
  lu.assertEquals(s:getsockopt "linger", 9)
  s:setsockopt("linger", false)
  lu.assertFalse(s:getsockopt "linger")
end

local SOL_SOCKET, SO_KEEPALIVE, SO_LINGER = 1, 9, 13 -- Linux

function T.TestOptions.test_by_number()
  local s <close> = aio.socket()
  s:setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
  lu.assertTrue(s:getsockopt "keepalive")
  lu.assertEquals(s:getsockopt(SOL_SOCKET, SO_KEEPALIVE), 1)
  s:setsockopt(SOL_SOCKET, SO_LINGER, ("i4i4"):pack(1, 5))
  lu.assertEquals(s:getsockopt "linger", 5)
  lu.assertEquals(s:getsockopt(SOL_SOCKET, SO_LINGER, 8), ("i4i4"):pack(1, 5))
end

function T.TestOptions.test_wrong_ones()
  local s <close> = aio.socket()
  lu.assertStrContains(refused(s.setsockopt, s, "nodely", true), "unknown option 'nodely'")
  lu.assertStrContains(refused(s.getsockopt, s, "nodely"), "nodelay")
  lu.assertStrContains(refused(s.setsockopt, s, "nodelay", 1), "boolean expected")
  lu.assertStrContains(refused(s.setsockopt, s, "error", 1), "only be read")
  lu.assertStrContains(refused(s.setsockopt, s, "linger", -1), "not negative")
  lu.assertEquals(code_of(s.setsockopt, s, SOL_SOCKET, 9999, 1), "ENOPROTOOPT")
  lu.assertEquals(code_of(s.setsockopt, s, "v6only", true), "ENOPROTOOPT")
end

-- ---- waiting ----

T.TestWaiting.test_tcp_echo = with_loop(function(loop)
  local c <close>, s = tcp_pair(loop)
  local _ <close> = s
  local task = aio.create_task(function() loop:sock_sendall(s, loop:sock_recv(s, 100):upper()) end)
  aio.sleep(0)
  loop:sock_sendall(c, "hello")
  lu.assertEquals(loop:sock_recv(c, 100), "HELLO")
  task:await()
  s:close()
  lu.assertNil(loop:sock_recv(c, 100))
end)

T.TestWaiting.test_connecting_by_name_and_to_an_address_table = with_loop(function(loop)
  local srv <close> = listening("inet", "127.0.0.1", 0)
  local _, port = srv:getsockname()
  for _, host in ipairs { "localhost", { host = "127.0.0.1", port = port } } do
    local c <close> = aio.socket()
    loop:sock_connect(c, host, port)
    lu.assertEquals({ c:getpeername() }, { "127.0.0.1", port })
    local s = loop:sock_accept(srv)
    s:close()
  end
end)

T.TestWaiting.test_a_refused_connection = with_loop(function(loop)
  local port
  do
    local s <close> = listening("inet", "127.0.0.1", 0)
    port = select(2, s:getsockname())
  end
  local c <close> = aio.socket()
  local err = raised(aio.OSError, loop.sock_connect, loop, c, "127.0.0.1", port)
  lu.assertEquals({ err.code, err.syscall, err.address },
    { "ECONNREFUSED", "sock_connect", { host = "127.0.0.1", port = port } })
end)

T.TestWaiting.test_unix = with_loop(function(loop)
  local name = "\0aio-test-wait" .. os.tmpname()
  local c <close> = aio.socket "unix"
  lu.assertEquals(raised(aio.OSError, loop.sock_connect, loop, c, name).filename, name)
  local srv <close> = listening("unix", name)
  local accepting = aio.create_task(loop.sock_accept, loop, srv)
  loop:sock_connect(c, name)
  local s, peer = accepting:await()
  lu.assertEquals(peer, "")
  loop:sock_sendall(s, "x")
  lu.assertEquals(loop:sock_recv(c, 1), "x")
  s:close()
end)

T.TestWaiting.test_datagrams = with_loop(function(loop)
  local a <close> = aio.socket("inet", "dgram")
  local b <close> = aio.socket("inet", "dgram")
  a:bind("127.0.0.1", 0)
  b:bind("127.0.0.1", 0)
  local task = aio.create_task(loop.sock_recvfrom, loop, a, 100)
  aio.sleep(0)
  lu.assertEquals(loop:sock_sendto(b, "hello", a:getsockname()), 5)
  lu.assertEquals({ task:await() }, { "hello", b:getsockname() })
end)

T.TestWaiting.test_into_a_buffer = with_pair(function(loop, a, b)
  local buffer = aio.Buffer "........"
  local task = aio.create_task(loop.sock_recv_into, loop, a, buffer, 3, 6)
  aio.sleep(0)
  loop:sock_sendall(b, "hello")
  lu.assertEquals(task:await(), 4)
  lu.assertEquals(buffer:sub(), "..hell..")
  lu.assertEquals(loop:sock_recv_into(a, buffer), 1)
  lu.assertEquals(buffer:sub(), "o.hell..")
  b:close()
  lu.assertNil(loop:sock_recv_into(a, buffer))
  lu.assertErrorMsgContains("Buffer expected", loop.sock_recv_into, loop, a, "text")
  lu.assertErrorMsgContains("no byte to fill", loop.sock_recv_into, loop, a, buffer, 3, 2)
end)

T.TestWaiting.test_datagrams_into_a_buffer = with_loop(function(loop)
  local a <close> = aio.socket("inet", "dgram")
  local b <close> = aio.socket("inet", "dgram")
  a:bind("127.0.0.1", 0)
  b:bind("127.0.0.1", 0)
  local buffer = aio.Buffer(8)
  loop:sock_sendto(b, "hello", a:getsockname())
  lu.assertEquals({ loop:sock_recvfrom_into(a, buffer) }, { 5, b:getsockname() })
  lu.assertEquals(buffer:sub(1, 5), "hello")
end)

T.TestWaiting.test_a_sender_of_datagrams_waits_for_the_receiver = with_loop(function(loop)
  local a, b = aio.socketpair("unix", "dgram")
  local sent = 0
  local task = aio.create_task(function()
    for i = 1, 2000 do
      loop:sock_sendall(a, ("%5d"):format(i))
      sent = i
    end
  end)
  for i = 1, 2000 do lu.assertEquals(tonumber(loop:sock_recv(b, 100)), i) end
  task:await()
  lu.assertEquals(sent, 2000)
  a:close()
  b:close()
end)

T.TestWaiting.test_more_than_fits = with_pair(function(loop, a, b)
  local data = ("0123456789abcdef"):rep(BIG // 16)
  local task = aio.create_task(function()
    loop:sock_sendall(a, data)
    a:shutdown "wr"
  end)
  local parts = {}
  while true do
    local part = loop:sock_recv(b, 65536)
    if not part then break end
    parts[#parts + 1] = part
  end
  lu.assertTrue(table.concat(parts) == data)
  task:await()
end)

T.TestWaiting.test_both_directions_at_once = with_pair(function(loop, a, b)
  local data = ("x"):rep(BIG)
  local reading = aio.create_task(loop.sock_recv, loop, a, 10)
  local sending = aio.create_task(loop.sock_sendall, loop, a, data)
  turns(2)
  b:send "here"
  lu.assertEquals(reading:await(), "here")
  local got = 0
  while got < BIG do got = got + #loop:sock_recv(b, BIG) end
  sending:await()
end)

T.TestWaiting.test_a_cancelled_receiver_loses_nothing = with_pair(function(loop, a, b)
  for _ = 1, 50 do
    local task = aio.create_task(loop.sock_recv, loop, a, 10)
    aio.sleep(0)
    b:send "x"
    if math.random(2) == 1 then aio.sleep(0) end
    task:cancel()
    local ok, data = aio.catch(aio.CancelledError, task.await, task)
    if not ok then data = loop:sock_recv(a, 10) end
    lu.assertEquals(data, "x")
  end
end)

T.TestWaiting.test_a_cancelled_connect_and_accept = with_loop(function(loop)
  local srv <close> = listening("inet", "127.0.0.1", 0)
  local accepting = aio.create_task(loop.sock_accept, loop, srv)
  aio.sleep(0)
  accepting:cancel()
  raised(aio.CancelledError, accepting.await, accepting)
  local c <close> = aio.socket()
  local connecting = aio.create_task(loop.sock_connect, loop, c, srv:getsockname())
  aio.sleep(0)
  connecting:cancel()
  pcall(connecting.await, connecting)
  loop:sock_accept(srv):close()
end)

T.TestWaiting.test_close_wakes_who_waits = with_pair(function(loop, a)
  local reading = aio.create_task(loop.sock_recv, loop, a, 10)
  local sending = aio.create_task(loop.sock_sendall, loop, a, ("x"):rep(BIG))
  turns(2)
  a:close()
  local err = raised(aio.OSError, reading.await, reading)
  lu.assertEquals({ err.code, err.syscall }, { "ECONNABORTED", "sock_recv" })
  lu.assertEquals(code_of(sending.await, sending), "ECONNABORTED")
end)

T.TestWaiting.test_a_socket_in_two_loops_one_after_the_other = function()
  local a, b = aio.socketpair()
  for _ = 1, 2 do
    aio.run(function()
      local loop = aio.get_running_loop()
      local task = aio.create_task(loop.sock_recv, loop, a, 10)
      aio.sleep(0)
      b:send "x"
      lu.assertEquals(task:await(), "x")
    end)
  end
  a:close()
  b:close()
end

T.TestWaiting.test_one_task_cannot_starve_the_others = with_pair(function(loop, a, b)
  local others = 0
  local task = aio.create_task(function()
    while true do
      others = others + 1
      aio.sleep(0)
    end
  end)
  for _ = 1, 2000 do
    loop:sock_sendall(a, "x")
    loop:sock_recv(b, 1)
  end
  lu.assertTrue(others > 2)
  task:cancel()
end)

T.TestWaiting.test_a_callback_beside_a_waiting_task = with_pair(function(loop, a, b)
  local called = aio.Event()
  loop:add_reader(a, function()
    loop:remove_reader(a)
    called:set()
  end)
  local task = aio.create_task(loop.sock_recv, loop, a, 10)
  aio.sleep(0)
  b:send "x"
  called:wait()
  lu.assertEquals(task:await(), "x")
end)

-- ---- errors ----

T.TestErrors.test_a_second_task_in_one_direction = with_pair(function(loop, a, b)
  local reading = aio.create_task(loop.sock_recv, loop, a, 10)
  aio.sleep(0)
  local err = raised(aio.RuntimeError, loop.sock_recv, loop, a, 10)
  lu.assertStrContains(err.message, "another task waits to receive")
  b:send "x"
  lu.assertEquals(reading:await(), "x")
  local sending = aio.create_task(loop.sock_sendall, loop, a, ("x"):rep(BIG))
  aio.sleep(0)
  err = raised(aio.RuntimeError, loop.sock_sendall, loop, a, "y")
  lu.assertStrContains(err.message, "another task waits to send")
  sending:cancel()
  raised(aio.CancelledError, sending.await, sending)
end)

T.TestErrors.test_the_peer_is_gone = with_loop(function(loop)
  local c <close>, s = tcp_pair(loop)
  s:setsockopt("linger", 0)
  s:close()
  lu.assertEquals(code_of(loop.sock_recv, loop, c, 1), "ECONNRESET")
  lu.assertEquals(code_of(loop.sock_sendall, loop, c, "x"), "EPIPE")
end)

T.TestErrors.test_wrong_arguments_of_the_waiting_calls = with_pair(function(loop, a)
  lu.assertStrContains(refused(loop.sock_recv, loop, 5, 1), "Socket expected")
  lu.assertStrContains(refused(loop.sock_recv, loop, a, 0), "positive")
  lu.assertStrContains(refused(loop.sock_recv, loop, a), "number expected")
  lu.assertStrContains(refused(loop.sock_sendall, loop, a, {}), "string expected")
  lu.assertStrContains(refused(loop.sock_sendto, loop, a, "x", 1), "path of a Unix socket")
  lu.assertStrContains(refused(loop.sock_connect, loop, {}, "x", 1), "socket expected")
  lu.assertStrContains(refused(loop.sock_connect, loop, a, 1), "path")
  local s <close> = aio.socket()
  lu.assertStrContains(refused(loop.sock_connect, loop, s, "127.0.0.1", 70000), "port")
  lu.assertStrContains(refused(loop.sock_connect, loop, s, ""), "host")
  a:close()
  lu.assertStrContains(refused(loop.sock_recv, loop, a, 1), "this socket is closed")
  local other <close> = aio.new_event_loop()
  lu.assertStrContains(refused(other.sock_recv, other, s, 1), "not the running loop")
end)

function T.TestErrors.test_wrong_arguments()
  lu.assertStrContains(refused(aio.socket, "ipv4"), '"inet6"')
  lu.assertStrContains(refused(aio.socket, "inet", "tcp"), '"dgram"')
  lu.assertStrContains(refused(aio.socketpair, "inet"), "unix")
  lu.assertEquals(code_of(aio.socketpair, "unix", "stream", 99), "EPROTONOSUPPORT")
  local s <close> = aio.socket()
  lu.assertStrContains(refused(s.bind, s, "localhost", 1), "getaddrinfo")
  lu.assertStrContains(refused(s.bind, s, "127.0.0.1", 70000), "65535")
  lu.assertStrContains(refused(s.bind, s, 5), "host and port")
  lu.assertStrContains(refused(s.recv, s), "number expected")
  lu.assertStrContains(refused(s.shutdown, s, "x"), "invalid option")
  lu.assertStrContains(refused(s.listen, s, -1), "not negative")
  lu.assertEquals(code_of(s.getpeername, s), "ENOTCONN")
  lu.assertEquals(code_of(s.shutdown, s), "ENOTCONN")
  lu.assertEquals(raised(aio.OSError, s.bind, s, "192.0.2.77", 1).address.host, "192.0.2.77")
  local u <close> = aio.socket "unix"
  lu.assertStrContains(refused(u.bind, u, ("x"):rep(200)), "too long")
  lu.assertStrContains(refused(u.bind, u, ""), "not empty")
end

T.TestErrors.test_waiting_needs_a_task = with_pair(function(loop, a)
  local seen = loop:create_future()
  loop:call_soon(function() seen:set_result(refused(loop.sock_recv, loop, a, 1)) end)
  lu.assertStrContains(seen:await(), "a callback cannot wait")
end)

-- ---- debug mode ----

function T.TestDebug.test_a_socket_that_is_collected_while_open()
  local seen = {}
  aio.run_with({ debug = true }, function()
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(function(_, ctx) seen[#seen + 1] = ctx end)
    local a = aio.socketpair() -- nobody has the other one
    a:close()
    collectgarbage()
    collectgarbage()
    aio.sleep(0)
  end)
  lu.assertEquals(#seen, 1)
  lu.assertEquals(seen[1].kind, "unclosed")
  lu.assertStrMatches(seen[1].message, "a socket was collected while open.*test_socket.lua:%d+")
end

function T.TestDebug.test_without_debug_it_is_closed_in_silence()
  for _ = 1, 100 do aio.socketpair() end
  collectgarbage()
  collectgarbage()
end

return T
