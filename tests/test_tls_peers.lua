-- SPDX-License-Identifier: MIT
-- TLS: start_tls, the end of a connection, peers that misbehave.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"

if not env.has_tls() then
  return { test_without_tls = function() lu.skip("this build has no library for TLS") end }
end

local testing = require "aio.testing"
local tls = require "support.tls"
local with_server, connect, echo, still_serves, wait_for =
  tls.serving, tls.connect, tls.echo, tls.still_serves, tls.wait_for
local raised = streams.raised

local T = { TestStart = {}, TestEnd = {}, TestPeers = {} }

-- ---- start_tls ----

function T.TestStart.test_both_directions_with_bytes_ahead()
  aio.run(streams.over_tcp, function(client, peer)
    client:write("starttls\n")
    aio.gather(function() client:start_tls(tls.client(), { server_hostname = "localhost" }) end,
      function()
        streams.polled() -- the client's first message is there, behind the line
        lu.assertEquals(peer:read("l"), "starttls")
        peer:start_tls(tls.server())
      end)
    client:write("secret\n")
    lu.assertEquals(peer:readline(), "secret\n")
    peer:write("answer\n")
    lu.assertEquals(client:readline(), "answer\n")
  end)
end

function T.TestStart.test_what_is_queued_goes_first()
  aio.run(streams.over_tcp, function(client, peer)
    local plain = ("x"):rep(streams.BIG)
    client:write_nowait(plain)
    aio.gather(function() client:start_tls(tls.client(), { server_hostname = "localhost" }) end,
      function()
        lu.assertEquals(#peer:readexactly(#plain), #plain)
        peer:start_tls(tls.server())
      end)
    client:write("secret\n")
    lu.assertEquals(peer:readline(), "secret\n")
  end)
end

function T.TestStart.test_wrong_states()
  aio.run(streams.over_tcp, function(client, peer)
    lu.assertErrorMsgContains("server_hostname", client.start_tls, client, tls.client())
    lu.assertErrorMsgContains("ssl_context expected", client.start_tls, client, {})
    lu.assertErrorMsgContains("certificate", peer.start_tls, peer, true)
    lu.assertErrorMsgContains("'cert' and 'key'", peer.start_tls, peer, tls.client())
    local reader = aio.create_task(peer.read, peer, 1)
    aio.sleep(0)
    lu.assertStrContains(raised(aio.RuntimeError, peer.start_tls, peer, tls.server()).message,
      "while a task reads")
    client:write("x")
    lu.assertEquals(reader:await(), "x") -- nothing was changed
    local starting = aio.create_task(peer.start_tls, peer, tls.server())
    streams.polled()
    lu.assertStrContains(raised(aio.RuntimeError, peer.read, peer, 1).message, "handshake")
    starting:cancel()
    raised(aio.CancelledError, starting.await, starting)
    lu.assertTrue(peer:is_closing())
    raised(aio.RuntimeError, peer.start_tls, peer, tls.server())
  end)
end

function T.TestStart.test_tls_in_tls()
  for _, over in ipairs { tls.over, tls.in_memory } do
    aio.run(over, function(client, peer)
      aio.gather(function() client:start_tls(tls.client(), { server_hostname = "localhost" }) end,
        function() peer:start_tls(tls.server(), { server_side = true }) end)
      local big = ("0123456789"):rep(100000)
      local writer = aio.create_task(client.write, client, big, "\n")
      lu.assertEquals(peer:readexactly(#big), big)
      writer:await()
      lu.assertEquals(client:get_extra_info("version"), "TLSv1.3")
      client:close()
      lu.assertEquals(peer:read("a"), "\n")
    end)
  end
end

function T.TestStart.test_in_random_pieces()
  for seed = 1, 5 do
    aio.run(tls.in_memory, function(client, peer)
      local big = ("0123456789"):rep(2000)
      client:write_nowait(big)
      client:close()
      lu.assertEquals(peer:read("a"), big)
    end, { seed = seed, chunk = 300 })
  end
end

function T.TestStart.test_unix_sockets()
  aio.run(function()
    local path = os.tmpname()
    local srv <close> = aio.start_unix_server(function(conn)
      conn:write(conn:readline())
    end, path .. ".s", { ssl = tls.server() })
    os.remove(path)
    lu.assertErrorMsgContains("server_hostname", aio.open_unix_connection, path .. ".s",
      { ssl = tls.client() })
    local conn <close> = aio.open_unix_connection(path .. ".s",
      { ssl = tls.client(), server_hostname = "localhost", timeout = 10 })
    echo(conn)
    lu.assertEquals(srv.sockets[1]:getsockname(), path .. ".s")
  end)
end

-- ---- the end ----

function T.TestEnd.test_a_clean_end_is_no_error()
  aio.run(tls.over, function(client, peer)
    client:write("all")
    client:close()
    lu.assertEquals(peer:read("a"), "all")
    lu.assertNil(peer:read(1))
  end)
end

function T.TestEnd.test_a_truncated_end_is_an_error()
  aio.run(tls.over, function(client, peer)
    peer:write("x")
    lu.assertEquals(client:read(1), "x") -- and the session tickets before it: no reset
    client:write("some")
    client:abort()
    lu.assertEquals(peer:read(10), "some")
    local err = raised(aio.SSLError, peer.read, peer, 10)
    lu.assertEquals(err.code, "SSL_TRUNCATED")
    lu.assertStrContains(err.message, "close_notify")
    raised(aio.SSLError, peer.read, peer, "a")
  end)
end

function T.TestEnd.test_much_and_close_at_once()
  with_server({}, function(port)
    local conn = connect(port)
    conn:write_nowait(("x"):rep(streams.BIG))
    conn:close() -- with the server's session tickets unread
    conn:wait_closed()
    aio.sleep(0)
  end, function(conn)
    lu.assertEquals(#conn:read("a"), streams.BIG)
  end)
end

function T.TestEnd.test_a_peer_that_does_not_read_has_a_time_limit()
  aio.run(function()
    local accepted = aio.Future()
    local srv <close> = aio.start_server(function(conn) accepted:set_result(conn:detach()) end,
      "127.0.0.1", 0, { ssl = tls.server() })
    local conn = aio.open_connection("127.0.0.1", srv.port,
      { ssl = tls.client(), server_hostname = "localhost", ssl_shutdown_timeout = 0.05 })
    local peer = accepted:await()
    conn:write_nowait(("x"):rep(4 * streams.BIG))
    conn:close()
    lu.assertEquals(raised(aio.OSError, conn.wait_closed, conn).code, "ETIMEDOUT")
    peer:abort()
  end)
end

-- ---- peers that misbehave ----

function T.TestPeers.test_a_client_without_tls()
  with_server({}, function(port, reports)
    local conn = aio.open_connection("127.0.0.1", port)
    conn:write("GET / HTTP/1.0\r\n\r\n")
    aio.catch(aio.OSError, conn.read, conn, "a")
    conn:close()
    wait_for(function() return #reports == 1 end)
    lu.assertStrContains(reports[1].exception.message, "http request")
    lu.assertStrContains(reports[1].exception.message, "does the peer speak TLS")
    still_serves(port)
  end)
end

function T.TestPeers.test_a_server_without_tls()
  aio.run(function()
    local srv <close> = aio.start_server(function(conn)
      conn:write("220 hello there, who are you and what do you want\r\n")
      conn:read("a")
    end, "127.0.0.1", 0)
    local err = raised(aio.SSLError, connect, srv.port)
    lu.assertStrContains(err.message, "wrong version number (does the peer speak TLS here?)")
  end)
end

function T.TestPeers.test_a_server_that_hangs_up()
  aio.run(function()
    local srv <close> = aio.start_server(function(conn) conn:close() end, "127.0.0.1", 0)
    local err = raised(aio.OSError, connect, srv.port)
    lu.assertStrContains(err.message, "TLS handshake with 127.0.0.1:")
  end)
end

-- A client's first messages, as bytes.
local function hello()
  local bytes
  aio.run(streams.over_tcp, function(client, peer)
    local task = aio.create_task(client.start_tls, client, tls.client(),
      { server_hostname = "localhost" })
    bytes = peer:read(65536)
    task:cancel()
    aio.wait { task }
  end)
  return bytes
end

function T.TestPeers.test_handshakes_that_are_cut_or_spoilt()
  local bytes = hello()
  with_server({ ssl_handshake_timeout = 30 }, function(port, reports)
    local n = 0
    for at = 0, #bytes, 23 do
      local conn = aio.open_connection("127.0.0.1", port)
      conn:write(bytes:sub(1, at))
      if at % 2 == 0 then conn:write(("\0\255"):rep(20000)) end
      if at % 3 == 0 then conn:abort() else conn:close() end
      n = n + 1
    end
    wait_for(function() return #reports == n end)
    for _, report in ipairs(reports) do
      lu.assertTrue(aio.is(report.exception, aio.OSError), tostring(report.exception))
    end
    still_serves(port)
  end)
end

function T.TestPeers.test_bytes_spoilt_on_the_way()
  aio.run(tls.over, function(client, peer)
    local fd_path = client:get_extra_info("fileno")
    lu.assertEquals(math.type(fd_path), "integer")
    peer:write("fine")
    lu.assertEquals(client:read(10), "fine")
  end)
  aio.run(function()
    -- between client and server somebody flips a bit of what follows the handshake
    local srv <close> = aio.start_server(function(conn)
      raised(aio.SSLError, conn.read, conn, "a")
      local err = raised(aio.SSLError, conn.write, conn, "x")
      lu.assertEquals(err.code, "SSL_ERROR")
    end, "127.0.0.1", 0, { ssl = tls.server() })
    local spoil = false
    local proxy <close> = aio.start_server(function(conn)
      local up <close> = aio.open_connection("127.0.0.1", srv.port)
      local back = aio.create_task(aio.catch, aio.OSError, function()
        for part in up:lines(65536) do conn:write(part) end
      end)
      aio.catch(aio.OSError, function()
        for part in conn:lines(65536) do
          if spoil then part = part:sub(1, -2) .. string.char(part:byte(-1) ~ 1) end
          up:write(part)
        end
      end)
      back:cancel()
      aio.wait { back }
    end, "127.0.0.1", 0)
    local conn = connect(proxy.port)
    spoil = true
    conn:write("hello")
    local err = raised(aio.OSError, conn.read, conn, 10)
    lu.assertStrContains(err.message, "bad record mac")
    conn:abort()
  end)
end

-- The slow one takes 2 s and more for its bytes. By the virtual clock healthy clients keep the
-- limit on a busy machine.
function T.TestPeers.test_a_silent_client_and_one_that_is_slow()
  local bytes = hello()
  with_server({ ssl_handshake_timeout = 1.5, run = testing.run }, function(port, reports)
    local silent <close> = aio.open_connection("127.0.0.1", port)
    local slow <close> = aio.open_connection("127.0.0.1", port)
    aio.catch(aio.OSError, function()
      for i = 1, #bytes do
        slow:write(bytes:sub(i, i))
        aio.sleep(0.01)
      end
    end)
    wait_for(function() return #reports == 2 end)
    for _, report in ipairs(reports) do
      lu.assertTrue(aio.is(report.exception, aio.TimeoutError), tostring(report.exception))
      lu.assertStrContains(report.exception.message, "took longer than 1.5 s")
    end
    aio.catch(aio.OSError, silent.read, silent, 1)
    still_serves(port)
  end)
end

function T.TestPeers.test_a_silent_server()
  aio.run(function()
    local srv = aio.start_server(function(conn) conn:read("a") end, "127.0.0.1", 0)
    local function try(opts)
      opts.ssl, opts.server_hostname = tls.client(), "localhost"
      return raised(aio.TimeoutError, aio.open_connection, "127.0.0.1", srv.port, opts)
    end
    lu.assertStrContains(try { ssl_handshake_timeout = 0.02 }.message, "took longer than 0.02 s")
    lu.assertStrContains(try { timeout = 0.02 }.message, "timeout of 0.02 s")
    local task = aio.create_task(connect, srv.port)
    streams.polled()
    task:cancel()
    raised(aio.CancelledError, task.await, task)
    srv:close()
    srv:wait_closed()
  end)
end

function T.TestPeers.test_clients_that_are_aborted_in_the_handshake()
  with_server({}, function(port, reports)
    local conns = {}
    for i = 1, 5 do conns[i] = aio.open_connection("127.0.0.1", port) end
    streams.polled()
    for _, conn in ipairs(conns) do conn:abort() end
    wait_for(function() return #reports == 5 end)
    still_serves(port)
  end)
end

return T
