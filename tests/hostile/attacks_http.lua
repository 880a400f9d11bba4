-- SPDX-License-Identifier: MIT
-- What ill-meaning peers do to a server of HTTP, beside what they do to any (attacks.lua).

local aio = require "aio"
local peer = require "hostile.peer"

local connect, briefly, read_on = peer.connect, peer.briefly, peer.read_on
local SLOW = 20 -- connections of one attack at a time
local CHUNKS = 5000

local M = {}

local HANDSHAKE = " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
  .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
local SOCKETS = { "GET /feed" .. HANDSHAKE, "GET /chat" .. HANDSHAKE } -- of the examples

local REQUESTS = {
  "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /api/notes HTTP/1.1\r\nHost: x\r\n\r\n",
  "HEAD /page.js HTTP/1.1\r\nHost: x\r\nRange: bytes=0-5,7-9,-1\r\n\r\n",
  "POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    .. "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"te\"\r\n1\r\n}\r\n0\r\n\r\n",
  "POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n[1]",
  SOCKETS[1], SOCKETS[2],
}

-- A header, or a body, that comes a byte at a time and never ends.
function M.slow_requests(port, random)
  peer.with_many(SLOW, port, function(conns)
    for _, conn in ipairs(conns) do
      conn:write(random(1, 2) == 1 and "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
        or "POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    end
    for _ = 1, 20 do
      for _, conn in ipairs(conns) do conn:write_nowait "x" end
      aio.sleep(0.05)
    end
  end)
end

-- Good requests with some bytes changed, dropped or doubled.
function M.mangled_requests(port, random)
  local conn <close> = connect(port)
  for _ = 1, random(1, 10) do
    local text = REQUESTS[random(1, #REQUESTS)]
    for _ = 1, random(0, 4) do
      local at = random(1, #text)
      local put = { "", string.char(random(0, 255)), text:sub(at, at):rep(2), "\r\n" }
      text = text:sub(1, at - 1) .. put[random(1, 4)] .. text:sub(at + 1)
    end
    conn:write_nowait(text)
  end
  conn:write_eof()
  briefly(1, read_on, conn)
  conn:abort()
end

-- Asks without end, and takes no answer.
function M.pipelines(port)
  local conn <close> = connect(port)
  briefly(1.5, function()
    while true do conn:write(REQUESTS[1]:rep(1000)) end
  end)
  conn:abort()
end

function M.tiny_chunks(port)
  local conn <close> = connect(port)
  conn:write("POST /api/notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
  briefly(1, function()
    for _ = 1, CHUNKS do conn:write "1\r\n \r\n" end
  end)
  conn:abort()
end

-- Headers without end.
function M.endless_head(port)
  local conn <close> = connect(port)
  conn:write("GET / HTTP/1.1\r\nHost: x\r\n")
  briefly(1, function()
    while true do conn:write(("X-Header: value\r\n"):rep(100)) end
  end)
  conn:abort()
end

-- A WebSocket that says anything at all after its handshake.
function M.frames(port, random)
  local conn <close> = connect(port)
  conn:write(SOCKETS[random(1, 2)])
  for _ = 1, random(1, 50) do
    local kind = random(1, 6)
    local n = random(0, 125)
    if kind == 1 then -- announces more than there is
      conn:write_nowait("\x82\xff", string.pack(">I8", 1 << random(20, 62)), "mask")
    elseif kind == 2 then -- a fragment, of many
      conn:write_nowait("\x01\x81mask", string.char(random(0, 255)))
    elseif kind == 3 then -- a ping, which wants an answer
      conn:write_nowait("\x89", string.char(0x80 | n), "mask", ("p"):rep(n))
    else
      conn:write_nowait(string.char(random(0, 255), random(0, 255)), ("x"):rep(n))
    end
  end
  if random(1, 2) == 1 then briefly(0.5, read_on, conn) end
  conn:abort()
end

-- Many feeds that nobody reads.
function M.deaf_feeds(port, random)
  peer.with_many(SLOW, port, function(conns)
    for _, conn in ipairs(conns) do conn:write(SOCKETS[random(1, 2)]) end
    aio.sleep(1)
  end)
end

return M
