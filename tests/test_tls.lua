-- SPDX-License-Identifier: MIT
-- TLS: certificates that are refused, what is agreed on, start_tls, the end, peers that misbehave.
-- That streams work as without TLS is tested by the cases of test_stream*.lua, which run over it.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"

if not env.has_tls() then
  return { test_without_tls = function() lu.skip("this build has no library for TLS") end }
end

local tls = require "support.tls"
local certs, raised = tls.certs, streams.raised

local T = { TestCertificates = {}, TestAgreed = {}, TestStart = {}, TestEnd = {}, TestPeers = {},
  TestContext = {} }

-- Runs fn(port, reports) beside a server with TLS whose connections run `handler`; reports gets
-- what the exception handler was told. `opts` are those of its context, and the time limits.
local function with_server(opts, fn, handler)
  local own = {}
  for key, value in pairs(opts) do own[key] = value end
  local set = {}
  for _, name in ipairs { "ssl_handshake_timeout", "ssl_shutdown_timeout" } do
    set[name], own[name] = own[name], nil
  end
  aio.run(function()
    local reports = {}
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      reports[#reports + 1] = ctx
    end)
    set.ssl = tls.server(own)
    local srv = aio.start_server(handler or function(conn)
      for line in conn:lines("L") do conn:write(line) end
    end, "127.0.0.1", 0, set)
    local _ <close> = aio.defer(function()
      srv:close()
      srv:abort_clients()
      srv:wait_closed()
    end)
    fn(srv.port, reports)
  end)
end

local function connect(port, ctx, name)
  return aio.open_connection("127.0.0.1", port,
    { ssl = ctx or tls.client(), server_hostname = name or "localhost", timeout = 20 })
end

local function echo(conn)
  conn:write("ping\n")
  lu.assertEquals(conn:readline(), "ping\n")
end

-- A new connection works, whatever came before.
local function still_serves(port, ctx)
  local conn <close> = connect(port, ctx)
  echo(conn)
end

local function wait_for(condition)
  local _ <close> = aio.timeout(20)
  while not condition() do aio.sleep(0.002) end
end

-- ---- certificates ----

local function refused(cert, name, ctx)
  local err
  with_server({ cert = certs[cert], key = certs[cert .. "_key"] }, function(port, reports)
    err = raised(aio.SSLCertVerificationError, connect, port, ctx, name)
    wait_for(function() return #reports == 1 end)
    lu.assertEquals(reports[1].kind, "callback_error")
    lu.assertTrue(aio.is(reports[1].exception, aio.SSLError))
    lu.assertStrContains(reports[1].message, "handshake of a connection from 127.0.0.1:")
    still_serves(port, tls.client { verify = false })
  end)
  lu.assertEquals(err.code, "SSL_CERT_VERIFICATION")
  lu.assertEquals(err.hostname, name or "localhost")
  lu.assertStrContains(err.message, ("refused for '%s'"):format(name or "localhost"))
  return err
end

function T.TestCertificates.test_expired()
  local err = refused("expired")
  lu.assertStrContains(err.message, "certificate has expired on ")
  lu.assertStrContains(err.message, "'expired'")
  lu.assertEquals(err.verify_code, 10)
end

function T.TestCertificates.test_self_signed()
  lu.assertStrContains(refused("self").message, "self-signed certificate")
end

function T.TestCertificates.test_another_authority()
  local err = refused("foreign")
  lu.assertStrContains(err.message, "unable to get local issuer certificate")
  lu.assertStrContains(err.message, "issued by 'Another authority'")
end

function T.TestCertificates.test_another_host()
  local err = refused("elsewhere")
  lu.assertStrContains(err.message, "hostname mismatch: the certificate is for example.org, "
    .. "*.example.net")
  lu.assertEquals(err.verify_message, "hostname mismatch")
  refused("server", "127.0.0.2")
  refused("elsewhere", "a.b.example.net")
end

function T.TestCertificates.test_the_subject_is_no_name_of_a_host()
  refused("server", "server")
end

function T.TestCertificates.test_the_system_does_not_trust_ours()
  with_server({}, function(port)
    raised(aio.SSLCertVerificationError, aio.open_connection, "127.0.0.1", port, { ssl = true })
  end)
end

function T.TestCertificates.test_names_that_fit()
  with_server({}, function(port)
    connect(port, nil, "127.0.0.1"):close()
    connect(port, nil, "localhost."):close()
    aio.open_connection("127.0.0.1", port, { ssl = tls.client() }):close()
  end)
  with_server({ cert = certs.elsewhere, key = certs.elsewhere_key }, function(port)
    connect(port, nil, "a.example.net"):close()
  end)
end

function T.TestCertificates.test_without_verification()
  with_server({ cert = certs.self, key = certs.self_key }, function(port)
    local conn <close> = connect(port, tls.client { verify = false }, "anything")
    echo(conn)
    lu.assertEquals(conn:get_extra_info("peercert").subject.commonName, "self")
  end)
end

function T.TestCertificates.test_clients_certificate()
  with_server({ client_ca = certs.ca }, function(port)
    local conn <close> = connect(port, tls.client { cert = certs.client, key = certs.client_key })
    lu.assertEquals(conn:readline(), "client\n")
  end, function(conn)
    conn:write(conn:get_extra_info("peercert").subject.commonName, "\n")
  end)
end

function T.TestCertificates.test_clients_without_or_with_a_wrong_certificate()
  with_server({ client_ca = certs.ca }, function(port, reports)
    for i, opts in ipairs { {}, { cert = certs.foreign, key = certs.foreign_key } } do
      -- With TLS 1.3 a client learns of it when it reads.
      raised(aio.OSError, function()
        local conn <close> = connect(port, tls.client(opts))
        conn:readline()
      end)
      wait_for(function() return #reports == i end)
      lu.assertTrue(aio.is(reports[i].exception, aio.SSLError), tostring(reports[i].exception))
    end
    lu.assertStrContains(reports[1].exception.message, "peer did not return a certificate")
    lu.assertTrue(aio.is(reports[2].exception, aio.SSLCertVerificationError))
    lu.assertStrContains(reports[2].exception.message, "Another authority")
  end)
end

function T.TestCertificates.test_a_client_that_may_have_one()
  with_server({ client_ca = certs.ca, verify = "optional" }, function(port)
    still_serves(port)
  end)
end

-- ---- what is agreed on ----

function T.TestAgreed.test_extra_info()
  aio.run(tls.over, function(client, peer)
    for _, conn in ipairs { client, peer } do
      lu.assertEquals(conn:get_extra_info("version"), "TLSv1.3")
      lu.assertEquals(conn:get_extra_info("cipher").protocol, "TLSv1.3")
      lu.assertTrue(conn:get_extra_info("cipher").bits >= 128)
      lu.assertNil(conn:get_extra_info("alpn_protocol"))
      lu.assertEquals(conn:get_extra_info("session_reused"), false)
      lu.assertStrContains(tostring(conn), "tls, open")
      lu.assertStrContains(tostring(conn:get_extra_info("sslcontext")), "SSLContext")
      lu.assertEquals(math.type(conn:get_extra_info("fileno")), "integer")
      lu.assertEquals(conn:get_extra_info("nothing", 1), 1)
    end
    lu.assertEquals(client:get_extra_info("peername"), peer:get_extra_info("sockname"))
    lu.assertNil(peer:get_extra_info("peercert"))
    local cert = client:get_extra_info("peercert")
    lu.assertEquals(cert.subject, { commonName = "server" })
    lu.assertEquals(cert.issuer, { commonName = "Test authority" })
    lu.assertEquals(cert.subjectAltName, { { "DNS", "localhost" }, { "IP Address", "127.0.0.1" } })
    lu.assertEquals({ cert.version, cert.serialNumber }, { 3, "11" })
    lu.assertStrContains(cert.notAfter, "GMT")
    lu.assertStrContains(cert.pem, "-----BEGIN CERTIFICATE-----")
    client:abort()
    lu.assertEquals(client:get_extra_info("version"), "TLSv1.3")
  end)
end

function T.TestAgreed.test_alpn()
  local function agreed(ours, theirs)
    local chosen
    aio.run(tls.over, function(client, peer)
      chosen = client:get_extra_info("alpn_protocol")
      lu.assertEquals(peer:get_extra_info("alpn_protocol"), chosen)
    end, { client = tls.client { alpn = ours }, server = tls.server { alpn = theirs } })
    return chosen
  end
  lu.assertEquals(agreed({ "http/1.1", "h2" }, { "h2", "http/1.1" }), "h2")
  lu.assertEquals(agreed({ "http/1.1" }, { "h2", "http/1.1" }), "http/1.1")
  lu.assertNil(agreed({ "x" }, { "h2" }))
  lu.assertNil(agreed({ "x" }, nil))
end

function T.TestAgreed.test_versions()
  aio.run(tls.over, function(client)
    lu.assertEquals(client:get_extra_info("version"), "TLSv1.2")
  end, { client = tls.client { max_version = "TLSv1.2" } })
  with_server({ min_version = "TLSv1.3" }, function(port)
    local err = raised(aio.SSLError, connect, port, tls.client { max_version = "TLSv1.2" })
    lu.assertStrContains(err.message, "protocol version")
  end)
end

function T.TestAgreed.test_ciphers()
  local name = "TLS_CHACHA20_POLY1305_SHA256"
  aio.run(tls.over, function(client)
    lu.assertEquals(client:get_extra_info("cipher").name, name)
  end, { client = tls.client { ciphers = name } })
end

function T.TestAgreed.test_sessions_are_resumed()
  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    with_server({}, function(port)
      local ctx, reused = tls.client { max_version = version }, {}
      for i = 1, 3 do
        local conn <close> = connect(port, ctx)
        echo(conn)
        reused[i] = conn:get_extra_info("session_reused")
        lu.assertEquals(conn:get_extra_info("peercert").subject.commonName, "server")
      end
      lu.assertEquals(reused, { false, true, true }, version)
    end)
  end
end

function T.TestAgreed.test_sessions_are_not_kept()
  for _, off in ipairs { "client", "server" } do
    with_server({ session_cache = off ~= "server" }, function(port)
      local ctx = tls.client { session_cache = off ~= "client" }
      for _ = 1, 2 do
        local conn <close> = connect(port, ctx)
        echo(conn)
        lu.assertFalse(conn:get_extra_info("session_reused"))
      end
    end)
  end
end

function T.TestAgreed.test_a_session_is_for_one_name()
  with_server({ cert = certs.elsewhere, key = certs.elsewhere_key }, function(port)
    local ctx = tls.client()
    local first = connect(port, ctx, "example.org")
    echo(first)
    first:close()
    raised(aio.SSLCertVerificationError, connect, port, ctx, "localhost")
  end)
end

function T.TestAgreed.test_sni()
  local asked = {}
  local other = tls.server { cert = certs.elsewhere, key = certs.elsewhere_key, alpn = { "x" } }
  with_server({ sni = function(name, conn)
    aio.sleep(0.001) -- it may wait
    lu.assertStrContains(tostring(conn), "Stream")
    asked[#asked + 1] = name or "none"
    return name == "example.org" and other or nil
  end }, function(port)
    local conn <close> = connect(port, tls.client { alpn = { "x" } }, "example.org")
    echo(conn)
    lu.assertEquals(conn:get_extra_info("alpn_protocol"), "x")
    still_serves(port)
    connect(port, nil, "127.0.0.1"):close()
  end)
  lu.assertEquals(asked, { "example.org", "localhost", "none" })
end

function T.TestAgreed.test_sni_that_fails()
  with_server({ sni = function(name)
    if name == "localhost" then error("no such host", 0) end
    return 1
  end }, function(port, reports)
    raised(aio.OSError, connect, port)
    raised(aio.OSError, connect, port, nil, "127.0.0.1")
    wait_for(function() return #reports == 2 end)
    lu.assertEquals(reports[1].exception, "no such host")
    lu.assertStrContains(reports[2].exception.message, "returned a number")
  end)
end

-- ---- start_tls ----

function T.TestStart.test_both_directions_with_bytes_ahead()
  aio.run(streams.over_tcp, function(client, peer)
    client:write("starttls\n")
    aio.gather(function() client:start_tls(tls.client(), { server_hostname = "localhost" }) end,
      function()
        aio.sleep(0.02) -- the client's first message is there, behind the line
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
    aio.sleep(0.01)
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
  with_server({ ssl_handshake_timeout = 5 }, function(port, reports)
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

function T.TestPeers.test_a_silent_client_and_one_that_is_slow()
  local bytes = hello()
  with_server({ ssl_handshake_timeout = 0.2 }, function(port, reports)
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
      lu.assertStrContains(report.exception.message, "took longer than 0.2 s")
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
    aio.sleep(0.02)
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
    aio.sleep(0.02)
    for _, conn in ipairs(conns) do conn:abort() end
    wait_for(function() return #reports == 5 end)
    still_serves(port)
  end)
end

-- ---- contexts ----

function T.TestContext.test_options_that_are_wrong()
  local function fails(text, opts) lu.assertErrorMsgContains(text, aio.ssl_context, opts) end
  fails("unknown option 'certs'", { certs = "x" })
  fails("option 'min_version'", { min_version = "TLSv1.0" })
  fails("option 'max_version'", { min_version = "TLSv1.3", max_version = "TLSv1.2" })
  fails("option 'verify'", { verify = "no" })
  fails("option 'alpn'", { alpn = {} })
  fails("option 'alpn'", { alpn = { "" } })
  fails("option 'alpn'", { alpn = { 1 } })
  fails("option 'sni'", { sni = 1 })
  fails("a key needs option 'cert'", { key = certs.server_key })
  fails("option 'cert' of ssl_context", { cert = "-----BEGIN nothing", key = certs.server_key })
  fails("key values mismatch", { cert = certs.server, key = certs.client_key })
  fails("option 'key' of ssl_context", { cert = certs.server })
  fails("'password'", { cert = certs.server, key = certs.locked_key })
  fails("option 'key' of ssl", { cert = certs.server, key = certs.locked_key, password = "wrong" })
  fails("option 'ciphers'", { ciphers = "NONSENSE" })
  fails("option 'ca' of ssl_context", { ca = "-----BEGIN nothing" })
  local err = raised(aio.OSError, aio.ssl_context, { ca = "/nowhere/ca.pem" })
  lu.assertEquals({ err.code, err.filename }, { "ENOENT", "/nowhere/ca.pem" })
end

function T.TestContext.test_a_key_with_a_password()
  aio.run(tls.over, function(client, peer)
    client:write("x")
    lu.assertEquals(peer:read(1), "x")
  end, { server = tls.server { key = certs.locked_key, password = "secret" } })
end

function T.TestContext.test_paths()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(certs.server, certs.server_key)
  file:close()
  local _ <close> = setmetatable({}, { __close = function() os.remove(path) end })
  aio.run(tls.over, function(client)
    lu.assertEquals(client:get_extra_info("version"), "TLSv1.3")
  end, { server = aio.ssl_context { cert = path } })
end

function T.TestContext.test_options_of_streams()
  aio.run(function()
    lu.assertErrorMsgContains("'server_hostname' needs option 'ssl'", aio.open_connection,
      "127.0.0.1", 1, { server_hostname = "x" })
    lu.assertErrorMsgContains("aio.ssl_context expected", aio.open_connection, "127.0.0.1", 1,
      { ssl = "yes" })
    lu.assertErrorMsgContains("positive number", aio.open_connection, "127.0.0.1", 1,
      { ssl = true, ssl_handshake_timeout = 0 })
    lu.assertErrorMsgContains("with its certificate", aio.start_server, print, "127.0.0.1", 0,
      { ssl = true })
  end)
end

function T.TestContext.test_without_the_library()
  local script = [[
    package.preload["aio.tls"] = function() error "no such file" end
    local aio = require "aio"
    local ok, err = pcall(aio.ssl_context)
    io.write(tostring(ok), " ", err.message)
    aio.run(print)
  ]]
  local command = env.command("-e " .. env.quote(script) .. " /dev/null")
  local pipe = assert(io.popen("env " .. command .. " 2>&1"))
  local text = pipe:read("a")
  lu.assertTrue(pipe:close(), text)
  lu.assertStrContains(text, "false TLS needs the library aio/tls.so")
end

return T
