-- SPDX-License-Identifier: MIT
-- What peers do that mean ill, or are only broken. Each attack is a function of a port and of
-- random(low, high); it makes its connections, does its worst and lets go of them within some
-- seconds, and is then begun again.

local aio = require "aio"
local peer = require "hostile.peer"
local stream_pair = require("aio.testing").stream_pair

local HOST, connect, briefly, read_on = peer.HOST, peer.connect, peer.briefly, peer.read_on
local IDLE, STORM, SLOW = 300, 100, 20 -- connections of one attack at a time
local FLOOD = 8 * 1024 * 1024 -- bytes of one flood
local BURST = 100 -- datagrams before others get their turn

local tcp, tls, udp = {}, {}, {}

-- ---- what they send ----

local function noise(random, n)
  local bytes = {}
  for k = 1, n do bytes[k] = string.char(random(0, 255)) end
  return table.concat(bytes)
end

local WORDS = { "GET / HTTP/1.1\r\n", "\r\n", "\n", "\0", "QUIT\n", "\22\3\1\2\0\1\0\1\252\3\3",
  "\128\46\1\0\2", "\255\255\255\255", "hello\n", ("x"):rep(5000), "{\"a\":", "%s%n\n", "\27[2J" }

local function babble(random)
  local parts = {}
  for k = 1, random(1, 8) do
    parts[k] = random(1, 3) == 1 and noise(random, random(1, 200)) or WORDS[random(1, #WORDS)]
  end
  return table.concat(parts)
end

-- ---- with connections ----

local function throw_away(conn) aio.catch({ aio.OSError, aio.RuntimeError }, read_on, conn) end

function tcp.slow_bytes(port, random)
  local conns = {}
  for k = 1, SLOW do conns[k] = connect(port) end
  for _ = 1, 20 do
    for _, conn in ipairs(conns) do conn:write_nowait(string.char(random(32, 126))) end
    aio.sleep(0.05)
  end
  for _, conn in ipairs(conns) do conn:close() end
end

-- Writes all the time, and reads nothing.
function tcp.flood(port, random)
  local conn <close> = connect(port)
  local text = noise(random, 1000):rep(64)
  briefly(1, function()
    for _ = 1, FLOOD // #text do conn:write(text) end
  end)
  conn:abort()
end

function tcp.flood_of_lines(port)
  local conn <close> = connect(port)
  local reader = aio.create_task(throw_away, conn)
  local text = ("line after line\n"):rep(200)
  briefly(1, function()
    for _ = 1, 100 do conn:write(text) end
  end)
  conn:abort()
  reader:await()
end

function tcp.endless_line(port)
  local conn <close> = connect(port)
  local text = ("endless"):rep(10000)
  briefly(1, function()
    for _ = 1, FLOOD // #text do conn:write(text) end
  end)
  conn:abort()
end

-- A socket that lingers for 0 seconds resets the connection when it is closed.
function tcp.resets(port, random)
  local loop = aio.get_running_loop()
  for _ = 1, 20 do
    local s <close> = aio.socket()
    s:setsockopt("linger", 0)
    loop:sock_connect(s, HOST, port)
    loop:sock_sendall(s, babble(random))
    if random(1, 2) == 1 then aio.sleep(random(0, 5) / 1000) end
  end
end

function tcp.half_closes(port, random)
  local conn <close> = connect(port)
  conn:write(babble(random))
  conn:write_eof()
  briefly(2, throw_away, conn)
  conn:abort()
end

function tcp.random_bytes(port, random)
  local conn <close> = connect(port)
  for _ = 1, random(1, 20) do
    conn:write_nowait(babble(random))
    if random(1, 4) == 1 then briefly(0.01, conn.read, conn, 100) end
  end
  if random(1, 2) == 1 then conn:abort() end
end

-- Asks again and again, and never takes an answer.
function tcp.never_reads(port)
  local conn <close> = connect(port)
  briefly(1.5, function()
    while true do conn:write(("what?\n"):rep(1000)) end
  end)
  conn:abort()
end

function tcp.storm(port)
  local jobs = {}
  for k = 1, STORM do jobs[k] = function() connect(port):abort() end end
  aio.gather(jobs, { return_exceptions = true })
end

function tcp.idle(port)
  local conns = {}
  local _ <close> = aio.defer(function()
    for _, conn in ipairs(conns) do conn:abort() end
  end)
  for k = 1, IDLE do conns[k] = connect(port) end
  aio.sleep(1)
end

-- ---- with TLS ----

local function connect_tls(port)
  return aio.open_connection(HOST, port, { ssl = aio.ssl_context { verify = false }, timeout = 30 })
end

-- A handshake that ends, or goes wrong, after some bytes.
function tls.half_a_handshake(port, random)
  local hello = "\22\3\1\2\0\1\0\1\252\3\3" .. noise(random, 32) .. "\0\0\2\19\1\1\0\1\209"
  for _ = 1, 10 do
    local conn <close> = connect(port)
    conn:write(hello:sub(1, random(1, #hello)))
    if random(1, 2) == 1 then conn:write(noise(random, random(1, 600))) end
    briefly(random(0, 100) / 1000, throw_away, conn)
    conn:abort()
  end
end

local function carry(from, to)
  aio.catch({ aio.OSError, aio.RuntimeError }, function()
    for text in from:lines(4096) do to:write(text) end
  end)
end

-- Plain bytes where records are expected.
function tls.garbage_after_the_handshake(port, random)
  local raw = connect(port)
  local a, b = stream_pair()
  local to, from = aio.create_task(carry, b, raw), aio.create_task(carry, raw, b)
  aio.catch({ aio.OSError, aio.TimeoutError }, a.start_tls, a, aio.ssl_context { verify = false },
    { server_hostname = "localhost", ssl_handshake_timeout = 20 })
  aio.catch(aio.OSError, raw.write, raw, babble(random), noise(random, random(1, 3000)))
  briefly(0.2, from.await, from)
  raw:abort()
  a:abort()
  b:abort()
  aio.wait { to, from }
end

function tls.resets_inside(port, random)
  local conn <close> = connect_tls(port)
  conn:write(babble(random))
  conn:abort()
end

function tls.never_reads(port)
  local conn <close> = connect_tls(port)
  briefly(1, function()
    while true do conn:write(("what?\n"):rep(1000)) end
  end)
  conn:abort()
end

-- ---- with datagrams ----

function udp.flood(port, random)
  local d <close> = aio.open_datagram { remote_addr = { HOST, port } }
  for _ = 1, BURST do d:send(noise(random, random(0, 60))) end
  aio.sleep(0.01)
end

function udp.big(port, random)
  local d <close> = aio.open_datagram { remote_addr = { HOST, port } }
  local text = noise(random, 1000):rep(65)
  for _ = 1, 10 do d:send(text:sub(1, random(0, #text))) end
  aio.sleep(0.01)
end

-- Something like a question.
function udp.questions(port, random)
  local d <close> = aio.open_datagram { remote_addr = { HOST, port } }
  for _ = 1, BURST do
    local head = (">I2I2I2I2I2I2"):pack(random(0, 65535), 256, random(0, 2), 0, 0, 0)
    d:send(head .. noise(random, random(0, 30)) .. ("\3www\0\0\1\0\1"):sub(1, random(0, 9)))
  end
  aio.sleep(0.01)
end

for name, attack in pairs(tcp) do
  if not tls[name] then tls[name] = attack end
end

return { tcp = tcp, tls = tls, udp = udp }
