-- SPDX-License-Identifier: MIT
-- How a WebSocket begins: what a server takes and refuses, what a client sends and expects, what
-- both agree on for compression. With the server and the client of aio.http over real sockets.

local env = require "support.env"
local lu = require "luaunit"

if not (env.has_http() and env.has_tls()) then
  return { test_skipped = function() lu.skip "no library for HTTP or TLS" end }
end

local aio = require "aio"
local http = require "aio.http"
local certs = require "support.certs"
local extension = require "aio.http.ws_extension"
local testing = require "aio.http.testing"
local websocket = require "aio.http.websocket"
local pair = require "support.websocket"
local ws = require "support.ws"

local echo = pair.echo

local T = {}

-- fn(server) with a route /ws; `run` may bring another clock.
local function serve(fn, opts, handler, server_opts, run)
  (run or aio.run)(function()
    local app = http.Application()
    app:websocket("/ws", handler or echo, opts)
    local server <close> = testing.TestServer(app, server_opts)
    fn(server)
  end)
end

local HEAD = {
  "Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

-- A request with some lines in place of others (by their name), or left away (false).
local function request(changes, line)
  local lines, seen = { line or "GET /ws HTTP/1.1" }, {}
  for _, field in ipairs(HEAD) do
    local name = field:match "^[^:]+"
    local change = changes and changes[name]
    seen[name] = true
    if change == nil then lines[#lines + 1] = field end
    if change then lines[#lines + 1] = change end
  end
  for name, change in pairs(changes or {}) do
    if not seen[name] then lines[#lines + 1] = change end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function ask(server, ...)
  local raw <close> = server:connect()
  return raw:ask(request(...))
end

function T.test_the_example_of_the_standard()
  serve(function(server)
    local res = ask(server)
    lu.assertEquals(res.status, 101)
    lu.assertEquals(res.headers["Upgrade"], "websocket")
    lu.assertEquals(res.headers["Connection"], "Upgrade")
    lu.assertEquals(res.headers["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    lu.assertNil(res.headers["Sec-WebSocket-Protocol"])
    lu.assertNil(res.headers["Sec-WebSocket-Extensions"])
    lu.assertNil(res.headers["Content-Length"])
  end)
end

function T.test_requests_that_are_refused()
  serve(function(server)
    for _, case in ipairs {
      { 426, { Upgrade = false } }, { 426, { Upgrade = "Upgrade: h2c" } },
      { 426, { Connection = "Connection: keep-alive" } }, { 426, { Connection = false } },
      { 426, { ["Sec-WebSocket-Version"] = "Sec-WebSocket-Version: 8" } },
      { 426, { ["Sec-WebSocket-Version"] = false } },
      { 400, { ["Sec-WebSocket-Key"] = false } },
      { 400, { ["Sec-WebSocket-Key"] = "Sec-WebSocket-Key: short" } },
      { 400, { ["Sec-WebSocket-Key"] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=" } },
      { 400, { ["Sec-WebSocket-Key"] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=" } },
      { 400, { more = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" } },
      { 405, nil, "POST /ws HTTP/1.1" }, { 400, nil, "GET /ws HTTP/1.0" },
      { 403, { Origin = "Origin: http://evil.test" } }, { 404, nil, "GET /other HTTP/1.1" },
    } do
      local res = ask(server, case[2], case[3])
      lu.assertEquals(res.status, case[1], (case[3] or "") .. request(case[2]))
      if res.status == 426 then
        lu.assertEquals(res.headers["Sec-WebSocket-Version"], "13")
        lu.assertStrContains(res.headers["Upgrade"], "websocket")
      end
    end
  end)
end

function T.test_requests_in_other_words()
  serve(function(server)
    for _, changes in ipairs {
      { Upgrade = "upgrade: h2c, WebSocket" }, { Connection = "connection: keep-alive, UPGRADE" },
      { Connection = "Connection: keep-alive\r\nConnection: upgrade" },
      { Origin = "Origin: http://h" }, { Origin = "Origin: https://H" },
      { Host = "Host: h:80", Origin = "Origin: http://h" },
    } do
      lu.assertEquals(ask(server, changes).status, 101)
    end
  end)
end

local ORIGINS = {
  { nil, "http://h", 101 }, { nil, "http://h:8080", 403 }, { nil, "null", 403 },
  { nil, "http://h.evil.test", 403 }, { nil, "http://evil.test/h", 403 }, { nil, "", 403 },
  { "*", "http://evil.test", 101 }, { { "https://a.test" }, "https://a.test", 101 },
  { { "https://a.test" }, "http://a.test", 403 }, { { "https://a.test" }, "http://h", 403 },
  { function(o) return o == "x://y" end, "x://y", 101 },
  { function(o) return o == "x://y" end, "x://z", 403 },
}

function T.test_origins()
  for _, case in ipairs(ORIGINS) do
    serve(function(server)
      lu.assertEquals(ask(server, { Origin = "Origin: " .. case[2] }).status, case[3], case[2])
    end, { origins = case[1] })
  end
end

function T.test_protocols()
  serve(function(server)
    for offered, chosen in pairs { ["b"] = "b", ["x, b, a"] = "b", ["a,b"] = "a", ["x"] = false } do
      local res = ask(server, { p = "Sec-WebSocket-Protocol: " .. offered })
      lu.assertEquals(res.status, 101)
      lu.assertEquals(res.headers["Sec-WebSocket-Protocol"], chosen or nil)
    end
    local client <close> = testing.TestClient(server)
    local conn <close> = client:ws_connect("/ws", { protocols = { "x", "a" } })
    lu.assertEquals(conn.protocol, "a")
  end, { protocols = { "a", "b" } })
end

function T.test_headers_of_the_answer()
  serve(function(server)
    lu.assertEquals(ask(server).headers["X-More"], "yes")
  end, { headers = { ["X-More"] = "yes" } })
end

function T.test_a_middleware_sees_what_was_sent()
  local seen
  aio.run(function()
    local app = http.Application { middlewares = { function(req, next)
      local res = next(req)
      seen = { res.status, res.headers["Sec-WebSocket-Accept"], req.path }
      res.headers["X-Late"] = "yes"
      return res
    end } }
    app:websocket("/ws", echo, { max_msg_size = 10, name = "ws" })
    lu.assertErrorMsgContains("'max_msg_size'", app.websocket, app, "/", echo,
      { max_msg_size = -1 })
    local server <close> = testing.TestServer(app)
    lu.assertEquals(ask(server).status, 101)
    while not seen do aio.sleep(0.01) end
  end)
  lu.assertEquals(seen, { 101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "/ws" })
end

-- Bytes that come together with the request belong to the WebSocket.
function T.test_frames_right_behind_the_request()
  serve(function(server)
    local raw <close> = server:connect()
    raw:send(request() .. ws.frame(ws.TEXT, "early") .. ws.close(1000))
    lu.assertEquals(raw:response().status, 101)
    lu.assertEquals({ pair.read_frame(raw.conn) }, { 0x81, "early" })
    lu.assertEquals({ pair.read_frame(raw.conn) }, { 0x88, "\3\232" })
    lu.assertTrue(raw:is_over())
  end)
end

-- A sample of the cases for the reader: what the server's handler sees, and what its peer is told.
function T.test_cases_over_sockets()
  local seen
  serve(function(server)
    for i, case in ipairs(ws.cases()) do
      if i % 12 == 0 and not case.max then
        local raw <close> = server:connect()
        seen = {}
        raw:send(request())
        lu.assertEquals(raw:response().status, 101)
        raw:send(case.bytes)
        local last = case.expected[#case.expected]
        local code = last:match "^error (%d+)" or last:match "^close (%d+)"
        if not code then raw:send(ws.close(1000)) end
        local first, payload
        repeat first, payload = pair.read_frame(raw.conn) until first == 0x88
        lu.assertEquals(payload ~= "" and string.unpack(">I2", payload) or 1005,
          tonumber(code or 1000), case.name)
        lu.assertTrue(raw:is_over())
        local expected = {}
        for _, event in ipairs(case.expected) do
          if event:find "^text" or event:find "^binary" then expected[#expected + 1] = event end
        end
        lu.assertEquals(seen, expected, case.name)
      end
    end
  end, nil, function(self)
    for msg in self:messages() do seen[#seen + 1] = msg.type .. " " .. msg.data end
  end)
end

function T.test_in_a_handler_that_decides_itself()
  aio.run(function()
    local app = http.Application()
    app:get("/either", function(req)
      if not req.headers["Upgrade"] then return "plain" end
      local self <close> = http.websocket(req, { max_msg_size = 100 })
      self:send(self:receive())
    end)
    local client <close> = testing.TestClient(app)
    lu.assertEquals(client:get("/either"):text(), "plain")
    local conn <close> = client:ws_connect "/either"
    conn:send "x"
    lu.assertEquals(conn:receive_str(), "x")
    lu.assertNil(conn:receive())
    lu.assertEquals(conn.close_code, 1000)
  end)
end

function T.test_a_client_of_http_with_and_without_tls()
  for _, ctx in ipairs { false, aio.ssl_context { cert = certs.server, key = certs.server_key } } do
    serve(function(server)
      local client <close> = testing.TestClient(server)
      local conn <close> = client:ws_connect("/ws", {
        compress = true, ssl = ctx and aio.ssl_context { ca = certs.ca } or nil,
        server_hostname = ctx and "localhost" or nil,
      })
      lu.assertTrue(conn.compress)
      for i = 1, 50 do
        conn:send(("text %d "):format(i):rep(i * i))
        lu.assertEquals(conn:receive_str(), ("text %d "):format(i):rep(i * i))
      end
      conn:close(4000, "done")
      lu.assertEquals(conn.close_code, 4000)
    end, nil, nil, { ssl = ctx or nil })
  end
end

function T.test_a_client_is_refused()
  serve(function(server)
    local client <close> = testing.TestClient(server)
    local ok, err = pcall(client.ws_connect, client, "/nowhere")
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, http.WSServerHandshakeError))
    lu.assertEquals(err.status, 404)
    ok, err = pcall(client.ws_connect, client, "/ws", { origin = "http://evil.test" })
    lu.assertFalse(ok)
    lu.assertEquals(err.status, 403)
    lu.assertErrorMsgContains("'heartbeat'", client.ws_connect, client, "/ws", { heartbeat = "x" })
  end)
end

-- Answers of servers that a client does not believe.
function T.test_answers_that_are_refused()
  local good = {
    Upgrade = "websocket", Connection = "Upgrade", ["Sec-WebSocket-Accept"] = "KEY",
  }
  for _, case in ipairs {
    { {}, true }, { { Upgrade = false }, "another protocol" }, { { Upgrade = "h2c" }, "another" },
    { { Connection = "close" }, "another protocol" },
    { { ["Sec-WebSocket-Accept"] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }, "does not answer the key" },
    { { ["Sec-WebSocket-Accept"] = false }, "does not answer the key" },
    { { ["Sec-WebSocket-Protocol"] = "b" }, "not offered: b" },
    { { ["Sec-WebSocket-Protocol"] = "a" }, true },
    { { ["Sec-WebSocket-Extensions"] = "permessage-deflate" }, true },
    { { ["Sec-WebSocket-Extensions"] = "x-other" }, "extensions that were not offered" },
    { { ["Sec-WebSocket-Extensions"] = "permessage-deflate; nonsense" }, "extensions" },
  } do
    local headers, plan = websocket.prepare({ protocols = { "a" }, compress = true }, 1, "f")
    local sent = http.Headers()
    for i = 1, #headers, 2 do sent:add(headers[i], headers[i + 1]) end
    local key = sent["Sec-WebSocket-Key"]
    lu.assertEquals(#key, 24)
    lu.assertEquals(sent["Sec-WebSocket-Protocol"], "a")
    lu.assertEquals(sent["Sec-WebSocket-Extensions"], "permessage-deflate; client_max_window_bits")
    local hc = require "aio.http.core"
    local accept = hc.base64(require("aio.tls")._digest("sha1",
      key .. "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
    local answer = http.Headers(good)
    for name, value in pairs(case[1]) do answer[name] = value or nil end
    if answer["Sec-WebSocket-Accept"] == "KEY" then answer["Sec-WebSocket-Accept"] = accept end
    local ok, why = websocket.check_response(plan, 101, answer)
    if case[2] == true then
      lu.assertTrue(ok)
    else
      lu.assertNil(ok)
      lu.assertStrContains(why, case[2])
    end
    lu.assertStrContains(select(2, websocket.check_response(plan, 200, answer)), "status 200")
  end
end

-- ---- permessage-deflate ----

-- What a client offers, the server's settings, the answer (nil: no compression).
local OFFERS = {
  { "permessage-deflate", {}, "permessage-deflate" },
  { "Permessage-Deflate", {}, "permessage-deflate" },
  { "permessage-deflate; client_max_window_bits", {},
    "permessage-deflate; client_max_window_bits=15" },
  { "permessage-deflate; client_max_window_bits=10", {},
    "permessage-deflate; client_max_window_bits=10" },
  { "permessage-deflate; client_max_window_bits=\"12\"", { peer_window_bits = 9 },
    "permessage-deflate; client_max_window_bits=9" },
  { "permessage-deflate", { peer_window_bits = 9 }, "permessage-deflate" },
  { "permessage-deflate; server_max_window_bits=8", {},
    "permessage-deflate; server_max_window_bits=8" },
  { "permessage-deflate; server_max_window_bits=15; server_no_context_takeover", {},
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=15" },
  { "permessage-deflate; client_no_context_takeover", {},
    "permessage-deflate; client_no_context_takeover" },
  { "permessage-deflate", { no_context_takeover = true, peer_no_context_takeover = true },
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover" },
  { "x-webkit-deflate-frame, permessage-deflate", {}, "permessage-deflate" },
  { "permessage-deflate; server_max_window_bits=7, permessage-deflate", {}, "permessage-deflate" },
  { "permessage-deflate; server_max_window_bits", {} },
  { "permessage-deflate; server_max_window_bits=16", {} },
  { "permessage-deflate; server_max_window_bits=08", {} },
  { "permessage-deflate; server_max_window_bits=1e1", {} },
  { "permessage-deflate; client_max_window_bits=7", {} },
  { "permessage-deflate; server_no_context_takeover=1", {} },
  { "permessage-deflate; server_no_context_takeover; server_no_context_takeover", {} },
  { "permessage-deflate; unknown", {} }, { "permessage-deflate;", {} }, { "", {} },
  { "permessage-deflate; =5", {} }, { "permessage-deflate; client_max_window_bits=", {} },
  { "permessage-deflate", nil }, { "x-other", {} }, { "permessage-deflate=1", {} },
}

function T.test_offers_of_compression()
  for _, case in ipairs(OFFERS) do
    local answer, terms = extension.accept(case[1], case[2])
    lu.assertEquals(answer, case[3], case[1])
    lu.assertEquals(terms ~= nil, case[3] ~= nil)
  end
  lu.assertNil(extension.accept(nil, {}))
end

-- A server's answer, the client's settings, is it one to the offer?
local ANSWERS = {
  { "permessage-deflate", {}, true },
  { "permessage-deflate; client_max_window_bits=8", {}, true },
  { "permessage-deflate; client_max_window_bits", {}, false },
  { "permessage-deflate; server_max_window_bits=12", {}, true },
  { "permessage-deflate; server_max_window_bits=12", { peer_window_bits = 11 }, false },
  { "permessage-deflate", { peer_window_bits = 11 }, false },
  { "permessage-deflate; server_max_window_bits=10", { peer_window_bits = 11 }, true },
  { "permessage-deflate", { peer_no_context_takeover = true }, false },
  { "permessage-deflate; server_no_context_takeover", { peer_no_context_takeover = true }, true },
  { "permessage-deflate, permessage-deflate", {}, false },
  { "permessage-deflate; client_no_context_takeover", {}, true },
  { "permessage-deflate; x", {}, false }, { "other", {}, false }, { "", {}, false },
  { "permessage-deflate", nil, false },
}

function T.test_answers_about_compression()
  for _, case in ipairs(ANSWERS) do
    local ok, terms = extension.confirm(case[1], case[2])
    lu.assertEquals(ok, case[3], case[1])
    lu.assertEquals(terms ~= nil, case[3], case[1])
  end
  lu.assertEquals({ extension.confirm(nil, {}) }, { true })
  lu.assertEquals(extension.offer { peer_no_context_takeover = true, no_context_takeover = true,
    peer_window_bits = 10 }, "permessage-deflate; server_no_context_takeover; "
    .. "client_no_context_takeover; server_max_window_bits=10; client_max_window_bits")
end

-- A window of 8 bits is agreed on, but zlib writes none: then messages go uncompressed.
function T.test_a_window_that_is_too_small_to_write()
  serve(function(server)
    local raw <close> = server:connect()
    local res = raw:ask(request { e = "Sec-WebSocket-Extensions: permessage-deflate; "
      .. "server_max_window_bits=8" })
    lu.assertStrContains(res.headers["Sec-WebSocket-Extensions"], "server_max_window_bits=8")
    raw:send(ws.frame(ws.TEXT, "hello") .. ws.close(1000))
    lu.assertEquals({ pair.read_frame(raw.conn) }, { 0x81, "hello" })
  end)
end

-- ---- the server's end ----

function T.test_the_server_stops_while_there_are_connections()
  local codes = {}
  serve(function(server)
    local client <close> = testing.TestClient(server)
    local conns = {}
    for i = 1, 3 do
      conns[i] = client:ws_connect "/ws"
      conns[i]:send "x"
      conns[i]:receive()
    end
    local readers = {}
    for i, conn in ipairs(conns) do
      readers[i] = aio.create_task(function()
        conn:receive()
        codes[i] = conn.close_code
      end)
    end
    server:close()
    for _, task in ipairs(readers) do task:await() end
  end, nil, nil, { shutdown_timeout = 0.05 }, require("aio.testing").run)
  lu.assertEquals(codes, { 1001, 1001, 1001 })
end

return T
