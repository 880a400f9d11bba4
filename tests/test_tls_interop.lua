-- SPDX-License-Identifier: MIT
-- TLS with other programs as the peers, as client and as server: the openssl command, Python's ssl
-- and asyncio, Node.js, socat. Both versions, clients' certificates, ALPN, sessions, an upgrade.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"

if not env.has_tls() then
  return { test_without_tls = function() lu.skip("this build has no library for TLS") end }
end

local programs = require "support.programs"
local tls = require "support.tls"
local certs, with_server, wait_for = tls.certs, tls.serving, tls.wait_for
local need, with_files, start, start_client, read_file, free_port, connect_when_up = programs.need,
  programs.with_files, programs.start, programs.start_client, programs.read_file,
  programs.free_port, programs.connect_when_up

local T = { TestOpenssl = {}, TestPython = {}, TestNode = {}, TestSocat = {} }

-- Runs fn(port, ctx, version) beside a server, once for each version of TLS. `command` is a shell
-- command with %d where the port goes.
local function beside(command, files, fn, versions)
  for _, version in ipairs(versions or { "TLSv1.2", "TLSv1.3" }) do
    with_files(files, function(dir)
      aio.run(function()
        local port = free_port()
        local _ <close> = start(dir, command:format(port))
        local ok, err = pcall(fn, port, version)
        if not ok then
          error(("%s\nthe server said:\n%s"):format(err, read_file(dir .. "/out")), 0)
        end
      end)
    end)
  end
end

-- Asks for the line backwards twice on two connections; the second has to resume the session.
local function ask_twice(port, ctx, answer)
  for i = 1, 2 do
    local conn <close> = connect_when_up(port, ctx)
    for _ = 1, 2 do
      conn:write("hello\n")
      lu.assertEquals(conn:readline(), answer)
    end
    lu.assertEquals(conn:get_extra_info("session_reused"), i == 2)
  end
end

-- Runs a client beside a server that answers in capitals and says what it knows; waits until the
-- client has printed `expected`, and for the server to have no complaint.
local function with_client(opts, files, input, command, expected)
  with_files(files, function(dir)
    with_server(opts, function(port, reports)
      start_client(dir, input, command:format(port))
      wait_for(function() return read_file(dir .. "/out"):find(expected, 1, true) end)
      lu.assertEquals(#reports, 0)
    end, function(conn)
      local cert = conn:get_extra_info("peercert")
      for line in conn:lines() do
        conn:write(table.concat({ line:upper(), cert and cert.subject.commonName or "nobody",
          conn:get_extra_info("alpn_protocol") or "none", conn:get_extra_info("version"),
          tostring(conn:get_extra_info("session_reused")) }, " "), "\n")
      end
    end)
  end)
end

-- ---- openssl ----

function T.TestOpenssl.test_s_client()
  for flag, version in pairs { tls1_2 = "TLSv1.2", tls1_3 = "TLSv1.3" } do
    with_client({ client_ca = certs.ca, alpn = { "h2" } }, {}, "hello\n",
      "openssl s_client -connect 127.0.0.1:%d -CAfile ca.pem -verify_return_error "
      .. "-verify_hostname localhost -servername localhost -alpn x,h2 -cert client.pem "
      .. "-key client_key.pem -" .. flag, "HELLO client h2 " .. version)
  end
end

function T.TestOpenssl.test_s_server()
  for flag, version in pairs { tls1_2 = "TLSv1.2", tls1_3 = "TLSv1.3" } do
    beside("openssl s_server -accept 127.0.0.1:%d -rev -quiet -cert server.pem -Verify 1 "
      .. "-key server_key.pem -CAfile ca.pem -alpn x,h2 -" .. flag, {}, function(port)
      local ctx = tls.client { cert = certs.client, key = certs.client_key, alpn = { "h2" } }
      ask_twice(port, ctx, "olleh\n")
      local conn <close> = tls.connect(port, ctx)
      lu.assertEquals(conn:get_extra_info("alpn_protocol"), "h2")
      lu.assertEquals(conn:get_extra_info("version"), version)
    end, { version })
  end
end

function T.TestOpenssl.test_a_page_from_s_server()
  beside("openssl s_server -accept 127.0.0.1:%d -WWW -cert server.pem -key server_key.pem",
    { page = "hello\n" }, function(port)
    local conn <close> = connect_when_up(port)
    conn:write("GET /page HTTP/1.0\r\n\r\n")
    lu.assertStrContains(conn:read("a"), "hello")
  end, { "TLSv1.3" })
end

-- The peer asks for a second handshake on the same connection, as TLS 1.2 can: it is refused, and
-- the server goes on.
function T.TestOpenssl.test_no_renegotiation()
  with_files({}, function(dir)
    with_server({}, function(port)
      start_client(dir, "R\n", ("openssl s_client -connect 127.0.0.1:%d -CAfile ca.pem -tls1_2")
        :format(port))
      wait_for(function() return read_file(dir .. "/out"):find("no renegotiation", 1, true) end)
      local conn <close> = tls.connect(port)
      conn:write("hello\n")
      lu.assertEquals(conn:readline(), "hello\n")
    end, function(conn)
      for line in conn:lines() do conn:write(line, "\n") end
    end)
  end)
end

-- ---- Python ----

local PYTHON_SERVER = [[
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("own.pem")
context.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    while True:
        conn, _ = listener.accept()
        try:
            with context.wrap_socket(conn, server_side=True) as tls, tls.makefile("rwb", 0) as f:
                for line in f:
                    f.write(line[-2::-1] + b"\n")
                tls.unwrap()
        except OSError as error:
            print(error)
]]

function T.TestPython.test_ssl_server()
  need "python3"
  for name, version in pairs { TLSv1_2 = "TLSv1.2", TLSv1_3 = "TLSv1.3" } do
    beside("python3 server.py %d " .. name, { ["server.py"] = PYTHON_SERVER }, function(port)
      ask_twice(port, tls.client(), "olleh\n")
      local conn <close> = tls.connect(port)
      lu.assertEquals(conn:get_extra_info("version"), version)
      local big = ("x"):rep(1000000)
      local writer <close> = aio.defer(function(task) task:await() end,
        aio.create_task(conn.write, conn, big, "\n"))
      lu.assertNotNil(writer)
      lu.assertEquals(#conn:readexactly(#big), #big)
    end, { version })
  end
end

local PYTHON_CLIENT = [[
import socket, ssl, sys
context = ssl.create_default_context(cafile="ca.pem")
context.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
context.load_cert_chain("client.pem", "client_key.pem")
context.set_alpn_protocols(["h2"])
session = None
for i in range(2):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        tls = context.wrap_socket(plain, server_hostname="localhost", session=session)
        tls.sendall(b"hello\n")
        print(tls.recv(100).decode(), end="", flush=True)
        session = tls.session
        assert tls.session_reused == (i == 1)
        tls.unwrap()
]]

function T.TestPython.test_ssl_client()
  need "python3"
  for name, version in pairs { TLSv1_2 = "TLSv1.2", TLSv1_3 = "TLSv1.3" } do
    local said = "HELLO client h2 " .. version
    with_client({ client_ca = certs.ca, alpn = { "h2" } }, { ["client.py"] = PYTHON_CLIENT }, "",
      "python3 client.py %d " .. name, said .. " false\n" .. said .. " true\n")
  end
end

-- An upgrade in the middle of a connection, and a clean end, by asyncio on both sides of it.
local ASYNCIO_SERVER = [[
import asyncio, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("own.pem")

async def serve(reader, writer):
    writer.write(b"ready\n")
    assert await reader.readline() == b"starttls\n"
    writer.write(b"go\n")
    await writer.start_tls(context)
    while line := await reader.readline():
        writer.write(line[-2::-1] + b"\n")
        await writer.drain()
    writer.close()
    await writer.wait_closed()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
]]

function T.TestPython.test_asyncio_server_and_an_upgrade()
  need "python3"
  if not os.execute("python3 -c 'import asyncio; asyncio.StreamWriter.start_tls' 2>/dev/null") then
    lu.skip("this Python has no StreamWriter.start_tls")
  end
  beside("python3 server.py %d", { ["server.py"] = ASYNCIO_SERVER }, function(port)
    local conn
    wait_for(function()
      local ok, result = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
      conn = ok and result
      return ok
    end)
    local _ <close> = conn
    lu.assertEquals(conn:readline(), "ready\n")
    conn:write("starttls\n")
    lu.assertEquals(conn:readline(), "go\n")
    conn:start_tls(tls.client(), { server_hostname = "localhost" })
    conn:write("hello\n")
    lu.assertEquals(conn:readline(), "olleh\n")
  end, { "TLSv1.3" })
end

local ASYNCIO_CLIENT = [[
import asyncio, ssl, sys

async def main():
    context = ssl.create_default_context(cafile="ca.pem")
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(sys.argv[1]), ssl=context, server_hostname="localhost")
    writer.write(b"y" * 1000000 + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        answer += await reader.read(65536)
    print(len(answer.split()[0]), answer[:3], answer.split()[1:], flush=True)
    writer.close()
    await writer.wait_closed()
    try:
        await asyncio.open_connection(
            "127.0.0.1", int(sys.argv[1]), ssl=context, server_hostname="elsewhere")
    except ssl.SSLCertVerificationError as error:
        print(error.verify_message, flush=True)

asyncio.run(main())
]]

function T.TestPython.test_asyncio_client()
  need "python3"
  with_files({ ["client.py"] = ASYNCIO_CLIENT }, function(dir)
    with_server({}, function(port, reports)
      start_client(dir, "", "python3 client.py " .. port)
      wait_for(function() return #reports == 1 end)
      wait_for(function() return read_file(dir .. "/out"):find("Hostname", 1, true) end)
      lu.assertStrContains(read_file(dir .. "/out"), "1000000 b'YYY'")
      lu.assertTrue(aio.is(reports[1].exception, aio.SSLError))
    end, function(conn)
      for part in conn:lines(65536) do conn:write(part:upper()) end
    end)
  end)
end

-- ---- Node.js ----

local NODE_SERVER = [[
const fs = require('fs'), tls = require('tls');
const pem = fs.readFileSync('own.pem');
const version = process.argv[3];
tls.createServer({ key: pem, cert: pem, maxVersion: version, ALPNProtocols: ['h2'] }, s => {
  s.on('data', d => s.write(d.toString().trim().split('').reverse().join('') + '\n'));
  s.on('error', e => console.log(e));
}).listen(Number(process.argv[2]), '127.0.0.1');
]]

function T.TestNode.test_server()
  need "node"
  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    beside("node server.js %d " .. version, { ["server.js"] = NODE_SERVER }, function(port)
      local ctx = tls.client { alpn = { "h2" } }
      ask_twice(port, ctx, "olleh\n")
      local conn <close> = tls.connect(port, ctx)
      lu.assertEquals(conn:get_extra_info("alpn_protocol"), "h2")
      lu.assertEquals(conn:get_extra_info("version"), version)
    end, { version })
  end
end

local NODE_CLIENT = [[
const fs = require('fs'), tls = require('tls');
let session;
function once(left) {
  const s = tls.connect({
    port: Number(process.argv[2]), host: '127.0.0.1', servername: 'localhost', session,
    ca: fs.readFileSync('ca.pem'), cert: fs.readFileSync('client.pem'),
    key: fs.readFileSync('client_key.pem'), ALPNProtocols: ['h2'], maxVersion: process.argv[3],
  }, () => s.write('hello\n'));
  s.on('session', got => { session = got; });
  s.on('data', d => { process.stdout.write(d); s.end(); });
  s.on('close', () => left && once(left - 1));
}
once(1);
]]

function T.TestNode.test_client()
  need "node"
  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    local said = "HELLO client h2 " .. version
    with_client({ client_ca = certs.ca, alpn = { "h2" } }, { ["client.js"] = NODE_CLIENT }, "",
      "node client.js %d " .. version, said .. " false\n" .. said .. " true\n")
  end
end

-- ---- socat ----

function T.TestSocat.test_openssl_listen()
  need "socat"
  beside("socat OPENSSL-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr,cert=own.pem,cafile=ca.pem,verify=1"
    .. " EXEC:cat", {}, function(port)
    local ctx = tls.client { cert = certs.client, key = certs.client_key }
    local conn <close> = connect_when_up(port, ctx)
    tls.echo(conn)
    lu.assertStrContains(aio.catch(aio.OSError, function()
      local refused <close> = tls.connect(port)
      refused:read("a")
    end) and "served" or "refused", "refused")
  end, { "TLSv1.3" })
end

function T.TestSocat.test_openssl_connect()
  need "socat"
  with_client({ client_ca = certs.ca }, {}, "hello\n",
    "socat - OPENSSL:127.0.0.1:%d,cafile=ca.pem,commonname=localhost,cert=client.pem,"
    .. "key=client_key.pem", "HELLO client none TLSv1.3")
end

return T
