-- SPDX-License-Identifier: MIT
-- Plain sockets that are given to streams and servers.

local lu = require "luaunit"
local aio = require "aio"
local sockets = require "support.sockets"
local streams = require "support.streams"

local code_of, refused = sockets.code_of, sockets.refused
local with_loop, tcp_pair = sockets.with_loop, sockets.tcp_pair
local raised = streams.raised

local T = { TestGiven = {} }

T.TestGiven.test_a_stream_over_a_connected_socket = with_loop(function(loop)
  local c, s = tcp_pair(loop)
  local a <close> = aio.open_connection { sock = c, limit = 100 }
  local b <close> = aio.open_connection(nil, nil, { sock = s:detach() })
  lu.assertNil(c:fileno())
  a:write "hello\n"
  lu.assertEquals(b:read "l", "hello")
  lu.assertEquals(a:get_extra_info "peername", b:get_extra_info "sockname")
end)

T.TestGiven.test_a_stream_over_a_unix_socket = with_loop(function()
  local s, t = aio.socketpair()
  local a <close> = aio.open_unix_connection { sock = s }
  local b <close> = aio.open_unix_connection { sock = t, timeout = 5 }
  a:write "x"
  lu.assertEquals(b:read(1), "x")
end)

T.TestGiven.test_who_waits_for_the_socket_is_woken = with_loop(function(loop)
  local s, t <close> = aio.socketpair()
  local waiting = aio.create_task(loop.sock_recv, loop, s, 1)
  aio.sleep(0)
  local a <close> = aio.open_connection { sock = s }
  lu.assertEquals(code_of(waiting.await, waiting), "ECONNABORTED")
  t:send "x"
  lu.assertEquals(a:read(1), "x")
end)

local function echo(conn) conn:write(conn:read(100)) end

T.TestGiven.test_servers = with_loop(function()
  for _, given in ipairs { "socket", "descriptor" } do
    local s = aio.socket()
    s:bind("127.0.0.1", 0)
    local host, port = s:getsockname()
    local sock = given == "socket" and s or s:detach()
    local srv <close> = aio.start_server(echo, { sock = sock, backlog = 5 })
    lu.assertEquals({ srv.sockets[1]:getsockname() }, { host, port })
    lu.assertEquals(srv.port, port)
    local conn <close> = aio.open_connection(host, port)
    conn:write "x"
    lu.assertEquals(conn:read(10), "x")
  end
end)

T.TestGiven.test_unix_servers = with_loop(function()
  for i = 1, 2 do
    local name = ("\0aio-test-given-%d%s"):format(i, os.tmpname())
    local sock = aio.socket "unix"
    sock:bind(name)
    local opts = { sock = sock }
    local srv <close> = i == 1 and aio.start_unix_server(echo, opts)
      or aio.start_unix_server(echo, nil, opts)
    lu.assertTrue(srv:is_serving())
    local conn <close> = aio.open_unix_connection(name)
    conn:write "x"
    lu.assertEquals(conn:read(10), "x")
  end
end)

T.TestGiven.test_what_does_not_fit_stays_its_owners = with_loop(function()
  local udp <close> = aio.socket("inet", "dgram")
  local err = raised(aio.OSError, aio.open_connection, { sock = udp })
  lu.assertEquals(err.code, "EPROTOTYPE")
  lu.assertStrContains(err.message, "stream")
  raised(aio.OSError, aio.start_server, print, { sock = udp })
  local tcp <close> = aio.socket()
  lu.assertEquals(code_of(aio.open_connection, { sock = tcp }), "ENOTCONN")
  lu.assertEquals(code_of(aio.open_connection, { sock = 99999 }), "EBADF")
  local pipe <close> = io.popen "echo"
  local fd = require("aio.core")._fileno(pipe)
  lu.assertEquals(code_of(aio.open_connection, { sock = fd }), "ENOTSOCK")
  lu.assertNotNil(udp:fileno())
  lu.assertNotNil(tcp:fileno())
  lu.assertStrContains(refused(aio.open_connection, { sock = "x" }), "or a descriptor")
  lu.assertStrContains(refused(aio.start_server, print, { sock = tcp, family = "inet" }), "family")
  lu.assertStrContains(refused(aio.start_server, print, { sock = {} }), "or a descriptor")
  tcp:close()
  lu.assertStrContains(refused(aio.open_connection, { sock = tcp }), "closed")
end)

return T
