-- SPDX-License-Identifier: MIT
-- TLS: contexts, certificates that are refused, what is agreed on. That streams work as without TLS
-- is tested by the cases of test_stream*.lua, which run over it.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"
local stream_pair = require("aio.pair").stream_pair

if not env.has_tls() then
  return { test_without_tls = function() lu.skip("this build has no library for TLS") end }
end

local tls = require "support.tls"
local certs, with_server, connect, echo, still_serves, wait_for =
  tls.certs, tls.serving, tls.connect, tls.echo, tls.still_serves, tls.wait_for
local raised = streams.raised

local T = { TestCertificates = {}, TestAgreed = {}, TestContext = {} }

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
    aio.sleep(0) -- it may wait
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

-- The one whose handshake is over finds the stream in another's hands when it goes on.
function T.TestAgreed.test_two_tasks_begin_tls_on_one_stream()
  aio.run(function()
    local client, peer <close> = stream_pair()
    local name = { server_hostname = "localhost" }
    local first = aio.create_task(client.start_tls, client, tls.client(), name)
    local other = aio.create_task(peer.start_tls, peer, tls.server(), { server_side = true })
    local ok, err
    repeat
      aio.sleep(0)
      ok, err = aio.catch({ aio.RuntimeError, aio.TimeoutError }, client.start_tls, client,
        tls.client(), { server_hostname = "localhost", ssl_handshake_timeout = 0.1 })
    until ok or aio.is(err, aio.TimeoutError)
    lu.assertFalse(ok)
    aio.wait { first, other }
    first:await()
    other:await()
    client:abort()
  end)
end

-- Which context is chosen changes between two connections of a client that resumes its session.
local function resumes(version, first, second, cert)
  local chosen, resumed, ok
  with_server({ sni = function() return chosen end }, function(port)
    local ctx = tls.client { max_version = version, cert = cert, key = cert and certs.client_key }
    for i, each in ipairs { first, second } do
      chosen = each
      ok = pcall(function()
        local conn <close> = connect(port, ctx)
        echo(conn)
        lu.assertEquals(conn:get_extra_info("version"), version)
        resumed = conn:get_extra_info("session_reused")
      end)
      if i == 1 then lu.assertTrue(ok) end
    end
  end)
  return ok and resumed, ok
end

function T.TestAgreed.test_a_session_is_for_one_context()
  local open, strict = tls.server(), tls.server { client_ca = certs.ca }
  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    lu.assertTrue((resumes(version, open, open)))
    lu.assertTrue((resumes(version, strict, strict, certs.client)))
    local _, served = resumes(version, open, strict) -- it has no certificate
    lu.assertFalse(served)
    local resumed
    resumed, served = resumes(version, open, strict, certs.client)
    lu.assertTrue(served)
    lu.assertFalse(resumed)
  end
end

-- What a context says of versions, ciphers and sessions holds also when `sni` has chosen it.
function T.TestAgreed.test_sni_chooses_all_of_a_context()
  local chosen
  local function agreed(own, opts, client)
    opts = opts or {}
    local twice = {}
    with_server(own, function(port)
      chosen = tls.server(opts)
      local ctx = tls.client(client)
      for i = 1, 2 do
        local conn <close> = connect(port, ctx)
        echo(conn)
        twice[i] = ("%s %s %s"):format(conn:get_extra_info("version"),
          conn:get_extra_info("cipher").name, conn:get_extra_info("session_reused"))
      end
    end)
    return twice[2]
  end
  local sni = function() return chosen end
  lu.assertStrMatches(agreed({ sni = sni }, { max_version = "TLSv1.2" }), "TLSv1.2 .* true")
  lu.assertStrMatches(agreed({ sni = sni, max_version = "TLSv1.2" }, { min_version = "TLSv1.3" }),
    "TLSv1.3 .* true")
  lu.assertStrMatches(agreed({ sni = sni }, { session_cache = false }), "TLSv1.3 .* false")
  lu.assertStrMatches(agreed({ sni = sni, session_cache = false }), "TLSv1.3 .* true")
  lu.assertStrMatches(agreed({ sni = sni, session_cache = false }, { max_version = "TLSv1.2" }),
    "TLSv1.2 .* true")
  lu.assertStrMatches(agreed({ sni = sni }, { max_version = "TLSv1.2", session_cache = false }),
    "TLSv1.2 .* false")
  for _, name in ipairs { "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305" } do
    lu.assertStrContains(agreed({ sni = sni }, { ciphers = name,
      max_version = not name:find("TLS_", 1, true) and "TLSv1.2" or nil }), name)
  end
  lu.assertFalse((pcall(agreed, { sni = sni }, { min_version = "TLSv1.3" },
    { max_version = "TLSv1.2" })))
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
  fails("there is none in 'cert': name its file by option 'key'", { cert = certs.server })
  fails("no private key in PEM form in it", { cert = certs.server, key = certs.server })
  fails("'password'", { cert = certs.server, key = certs.locked_key })
  fails("option 'key' of ssl", { cert = certs.server, key = certs.locked_key, password = "wrong" })
  fails("option 'ciphers'", { ciphers = "NONSENSE" })
  fails("option 'ca' of ssl_context", { ca = "-----BEGIN nothing" })
  local err = raised(aio.OSError, aio.ssl_context, { ca = "/nowhere/ca.pem" })
  lu.assertEquals({ err.code, err.filename }, { "ENOENT", "/nowhere/ca.pem" })
end

-- A folder that is not read must not stand for "unset": without client_ca no client is asked.
function T.TestContext.test_folders_are_for_ca_alone()
  local folder = env.root .. "/tests"
  for _, option in ipairs { "cert", "key", "client_ca" } do
    local err = raised(aio.OSError, tls.server, { [option] = folder })
    lu.assertEquals({ err.code, err.filename }, { "EISDIR", folder })
    lu.assertStrContains(err.message, ("cannot read option '%s': %s is a folder"):format(option,
      folder))
  end
  lu.assertNotNil(aio.ssl_context { ca = folder })
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
