-- SPDX-License-Identifier: MIT
-- WebSocket with others, both ways round: Python's websockets, wsproto and aiohttp, and Node's ws,
-- where they are installed. Texts and binary messages of many sizes, fragments, pings, compression,
-- the closing.

local env = require "support.env"
local lu = require "luaunit"

if not (env.has_http() and env.has_tls()) then
  return { test_skipped = function() lu.skip "no library for HTTP or TLS" end }
end

local aio = require "aio"
local http = require "aio.http"
local testing = require "aio.http.testing"

local T = {}

local SIZES = { 0, 1, 125, 126, 127, 65535, 65536, 200000 }

-- ---- the others, each a program that says "ok" at the end ----

-- arguments: "client" and the URL: echoes through a server and closes with 4000, or "server": says
-- its port, echoes until the peer closes, and says the code.
local PROGRAMS = {}

PROGRAMS.websockets = [[
import asyncio, sys, websockets
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 200000]
async def client(url, compression):
    async with websockets.connect(url, compression=compression, max_size=None) as ws:
        for n in SIZES:
            text, data = "é" * (n // 2), b"\xff" * n
            await ws.send(text)
            assert await ws.recv() == text
            await ws.send(data)
            assert await ws.recv() == data
        await ws.send(["in ", "three ", "parts"])
        assert await ws.recv() == "in three parts"
        pong = await ws.ping(b"payload")
        await pong
        await ws.close(4000, "done")
        assert ws.close_code == 4000, ws.close_code
    print("ok")
async def echo(ws, path=None):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.exceptions.ConnectionClosedError:
        pass
    print(ws.close_code, flush=True)
    done.set_result(None)
async def server(compression):
    global done
    done = asyncio.get_running_loop().create_future()
    async with websockets.serve(echo, "127.0.0.1", 0, compression=compression, max_size=None) as s:
        print(s.sockets[0].getsockname()[1], flush=True)
        await done
    print("ok")
compression = None if sys.argv[-1] == "plain" else "deflate"
asyncio.run(client(sys.argv[2], compression) if sys.argv[1] == "client" else server(compression))
]]

PROGRAMS.aiohttp = [[
import asyncio, sys, aiohttp
from aiohttp import web
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 200000]
plain = sys.argv[-1] == "plain"
async def client(url):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, compress=0 if plain else 15, max_msg_size=0) as ws:
            for n in SIZES:
                text, data = "é" * (n // 2), b"\xff" * n
                await ws.send_str(text)
                assert await ws.receive_str() == text
                await ws.send_bytes(data)
                assert await ws.receive_bytes() == data
            await ws.send_json({"a": 1})
            assert await ws.receive_json() == {"a": 1}
            await ws.close(code=4000, message=b"done")
            assert ws.close_code == 4000, ws.close_code
    print("ok")
async def server():
    done = asyncio.get_running_loop().create_future()
    async def echo(request):
        ws = web.WebSocketResponse(compress=not plain, max_msg_size=0)
        await ws.prepare(request)
        async for msg in ws:
            if msg.type == aiohttp.WSMsgType.TEXT: await ws.send_str(msg.data)
            elif msg.type == aiohttp.WSMsgType.BINARY: await ws.send_bytes(msg.data)
        print(ws.close_code, flush=True)
        done.set_result(None)
        return ws
    app = web.Application()
    app.router.add_get("/ws", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await done
    await runner.cleanup()
    print("ok")
asyncio.run(client(sys.argv[2]) if sys.argv[1] == "client" else server())
]]

PROGRAMS.wsproto = [[
import socket, sys
from urllib.parse import urlsplit
from wsproto import ConnectionType, WSConnection
from wsproto.events import *
from wsproto.extensions import PerMessageDeflate
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 200000]
extensions = [] if sys.argv[-1] == "plain" else [PerMessageDeflate()]
def events(sock, ws):
    while True:
        yield from ws.events()
        data = sock.recv(65536)
        ws.receive_data(data or None)
        if not data: return
def whole(stream, ws, sock):
    parts = []
    for event in stream:
        if isinstance(event, (TextMessage, BytesMessage)):
            parts.append(event.data)
            if event.message_finished: return parts[0][:0].join(parts)
        elif isinstance(event, Ping): sock.sendall(ws.send(event.response()))
        else: return event
def client(url):
    at = urlsplit(url)
    sock = socket.create_connection((at.hostname, at.port))
    ws = WSConnection(ConnectionType.CLIENT)
    sock.sendall(ws.send(Request(host=at.netloc, target=at.path, extensions=extensions)))
    stream = events(sock, ws)
    assert isinstance(next(stream), AcceptConnection)
    for n in SIZES:
        for data in ("é" * (n // 2), b"\xff" * n):
            sock.sendall(ws.send(Message(data=data[:n // 3], message_finished=False)))
            sock.sendall(ws.send(Message(data=data[n // 3:])))
            assert whole(stream, ws, sock) == data
    sock.sendall(ws.send(CloseConnection(code=4000, reason="done")))
    event = whole(stream, ws, sock)
    assert isinstance(event, CloseConnection) and event.code == 4000, event
    print("ok")
def server():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    sock, _ = listener.accept()
    ws = WSConnection(ConnectionType.SERVER)
    stream = events(sock, ws)
    assert isinstance(next(stream), Request)
    sock.sendall(ws.send(AcceptConnection(extensions=extensions)))
    while True:
        got = whole(stream, ws, sock)
        if isinstance(got, CloseConnection): break
        sock.sendall(ws.send(Message(data=got)))
    sock.sendall(ws.send(got.response()))
    sock.close()
    print(got.code, flush=True)
    print("ok")
client(sys.argv[2]) if sys.argv[1] == "client" else server()
]]

PROGRAMS.ws = [[
const { WebSocket, WebSocketServer } = require('ws')
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 200000]
const plain = process.argv[process.argv.length - 1] === 'plain'
const perMessageDeflate = !plain && { threshold: 0 }
if (process.argv[1] === 'client') {
  const ws = new WebSocket(process.argv[2], { perMessageDeflate, maxPayload: 0 })
  const queue = []
  let at = 0
  for (const n of SIZES) {
    queue.push('é'.repeat(n / 2 | 0), Buffer.alloc(n, 255))
  }
  const next = () => at < queue.length ? ws.send(queue[at]) : ws.close(4000, 'done')
  ws.on('open', next)
  ws.on('message', (data, binary) => {
    const sent = queue[at++]
    if (binary !== (typeof sent !== 'string') || !data.equals(Buffer.from(sent))) process.exit(1)
    next()
  })
  ws.on('close', code => { if (code === 4000) console.log('ok') })
} else {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate, maxPayload: 0 })
  wss.on('listening', () => console.log(wss.address().port))
  wss.on('connection', ws => {
    ws.on('message', (data, binary) => ws.send(data, { binary }))
    ws.on('close', code => { console.log(code); console.log('ok'); wss.close() })
  })
}
]]

-- Where Debian's packages are.
local PYTHON, NODE_PATH = "/usr/bin/python3", "NODE_PATH=/usr/share/nodejs:/usr/lib/nodejs"

local function installed(name)
  local probe = name == "ws" and NODE_PATH .. " node -e 'require(\"ws\")' 2>/dev/null"
    or ("%s -c 'import %s' 2>/dev/null"):format(PYTHON, name)
  return os.execute(probe) == true
end

local function start(name, ...)
  local args = name == "ws" and { "env", NODE_PATH, "node", "-e", PROGRAMS[name], "--" }
    or { PYTHON, "-c", PROGRAMS[name] }
  for _, arg in ipairs { ... } do args[#args + 1] = arg end
  args[#args + 1] = { stdout = aio.PIPE }
  return aio.create_subprocess_exec(table.unpack(args))
end

-- Our server, their client.
local function serve_client(name, mode)
  local app, code = http.Application(), nil
  app:websocket("/ws", function(ws)
    for msg in ws:messages() do ws:send(msg) end
    code = ws.close_code
    lu.assertEquals(ws.compress, mode ~= "plain")
    lu.assertNil(ws:exception())
  end, { max_msg_size = 0 })
  local server <close> = testing.TestServer(app)
  local url = server:make_url("/ws"):gsub("^http", "ws")
  local process <close> = start(name, "client", url, mode)
  lu.assertEquals(process.stdout:read "a", "ok\n", name)
  lu.assertEquals(process:wait(), 0)
  lu.assertEquals(code, 4000)
end

-- Their server, our client.
local function use_server(name, mode)
  local process <close> = start(name, "server", mode)
  local port = assert(tonumber(process.stdout:readline()))
  local session <close> = http.ClientSession()
  local ws = session:ws_connect(("ws://127.0.0.1:%d/ws"):format(port),
    { compress = mode ~= "plain", max_msg_size = 0, heartbeat = 30 })
  lu.assertEquals(ws.compress, mode ~= "plain")
  for _, n in ipairs(SIZES) do
    local text, data = ("é"):rep(n // 2), ("\xff"):rep(n)
    ws:send(text)
    lu.assertTrue(ws:receive_str() == text)
    ws:send_bytes(data)
    lu.assertTrue(ws:receive_bytes() == data)
  end
  ws:ping "payload"
  ws:close(4000, "done")
  lu.assertEquals(ws.close_code, name == "aiohttp" and 1000 or 4000) -- what they answer
  lu.assertEquals(process.stdout:read "a", "4000\nok\n")
  lu.assertEquals(process:wait(), 0)
end

local MODES = {
  websockets = { "plain", "deflate" }, wsproto = { "plain", "deflate" }, aiohttp = { "deflate" },
  ws = { "deflate" },
}

for name, modes in pairs(MODES) do
  for _, mode in ipairs(modes) do
    T[("test_%s_%s"):format(name, mode)] = function()
      if not installed(name) then return lu.skip(name .. " is not installed") end
      aio.run(function()
        aio.timeout(60, function()
          serve_client(name, mode)
          use_server(name, mode)
        end)
      end)
    end
  end
end

return T
