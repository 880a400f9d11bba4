-- SPDX-License-Identifier: MIT
-- Compressed messages of WebSocket: both ways in every agreement, and what is wrong in them.

local env = require "support.env"
local lu = require "luaunit"

if not (env.has_http() and env.has_tls() and require("aio.optional").has "zlib") then
  return { test_skipped = function() lu.skip "no library for HTTP, TLS or zlib" end }
end

local pair = require "support.websocket"
local ws = require "support.ws"

local echo, with_pair, with_raw = pair.echo, pair.with_pair, pair.with_raw

local T = {}

local COMPRESS = {
  { server = true, client = true },
  { server = { no_context_takeover = true }, client = true },
  { server = true, client = { no_context_takeover = true } },
  { server = { peer_no_context_takeover = true, window_bits = 9, level = 9 }, client = true },
  { server = true, client = { peer_window_bits = 9, window_bits = 10, mem_level = 1 } },
  { server = { peer_window_bits = 11 }, client = { window_bits = 15 } },
  { server = true, client = { peer_no_context_takeover = true } },
}

function T.test_compressed_both_ways()
  for _, compress in ipairs(COMPRESS) do
    with_pair(echo, function(client)
      lu.assertTrue(client.compress)
      for i = 1, 30 do
        local text = ("message %d é "):format(i):rep(i * 100)
        client:send(text, { compress = i % 7 ~= 0 })
        local msg = client:receive()
        lu.assertTrue(msg.type == "text" and msg.data == text)
        client:send_bytes(("\xff\0"):rep(i))
        lu.assertTrue(client:receive().data == ("\xff\0"):rep(i))
      end
      client:send ""
      lu.assertEquals(client:receive().data, "")
    end, { server = { compress = compress.server }, client = { compress = compress.client } })
  end
end

function T.test_no_compression_where_one_side_does_not_want_it()
  with_pair(echo, function(client) lu.assertFalse(client.compress) end,
    { server = { compress = false }, client = { compress = true } })
  with_pair(echo, function(client) lu.assertFalse(client.compress) end)
end

local DEFLATE = { more = "Sec-WebSocket-Extensions: permessage-deflate\r\n" }

local function compressed(data, opts)
  opts = opts or {}
  opts.rsv = 4
  return ws.frame(opts.opcode or ws.TEXT, data, opts)
end

-- A small message that becomes a large one costs no more memory than the limit.
function T.test_a_bomb_is_refused()
  local deflate = require("aio.zlib").deflate("raw", 9)
  local bomb = deflate:write(("\0"):rep(50 << 20), "message")
  with_raw(function(self)
    local before = env.host and env.host.memory() or 0
    lu.assertNil(self:receive())
    local after = env.host and env.host.memory() or 0
    lu.assertTrue(after - before < 20 << 20)
    lu.assertEquals(self.close_code, 1009)
  end, function(raw)
    raw:write(compressed(bomb, { opcode = ws.BINARY }))
    local _, payload = pair.read_frame(raw)
    lu.assertEquals(string.unpack(">I2", payload), 1009)
  end, DEFLATE)
end

function T.test_what_is_wrong_in_compressed_messages()
  local function message(text) return require("aio.zlib").deflate("raw"):write(text, "message") end
  for data, code in pairs { ["\xff\xff\xff"] = 1007, [message "\xff"] = 1007, ["\7"] = 1007 } do
    with_raw(echo, function(raw)
      raw:write(compressed(data))
      local _, payload = pair.read_frame(raw)
      lu.assertEquals(string.unpack(">I2", payload), code)
      raw:close()
    end, DEFLATE)
  end
  with_raw(echo, function(raw)
    local data = message "in two parts"
    raw:write(compressed(data:sub(1, 3), { fin = false }), ws.frame(ws.PING, ""),
      ws.frame(0, data:sub(4)), ws.close(1000))
    pair.read_frame(raw)
    local first, payload = pair.read_frame(raw)
    lu.assertEquals(first, 0xc1)
    local inflate = require("aio.zlib").inflate "raw"
    inflate:feed(payload, true)
    lu.assertEquals(inflate:read(), "in two parts")
    raw:read "a"
  end, DEFLATE)
end

return T
