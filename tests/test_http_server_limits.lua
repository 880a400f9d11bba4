-- SPDX-License-Identifier: MIT
-- Clients that mean no good, or are slow: each case shows the refusal first, and then that the next
-- good request is served.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"

local T = {}

local serve, get, once, in_memory = support.serve, support.get, support.once, support.in_memory
local serve_timed = support.serve_timed

local function now() return aio.get_running_loop():time() end

local function ok_app(app)
  app:get("/ok", function() return "ok" end)
  app:post("/read", function(req) return req:read() end)
end

-- A new connection works.
local function good(connect)
  local raw <close> = connect()
  lu.assertEquals(raw:ask(get "/ok").body, "ok")
end

-- ---- time ----

function T.test_slow_heads()
  in_memory(ok_app, function(connect)
    local raw <close> = connect()
    local start = now()
    local text = get("/ok", ("X-Long: %s\r\n"):format(("x"):rep(100)))
    local sender = aio.create_task(function()
      for i = 1, 60 do
        raw:send(text:sub(i, i))
        aio.sleep(1)
      end
    end)
    lu.assertEquals(raw:response().status, 408)
    lu.assertEquals(now() - start, 10)
    sender:cancel()
    pcall(sender.await, sender)
    good(connect)
  end)
end

-- The ten seconds begin with the first byte, however late that comes.
function T.test_slow_heads_after_a_pause()
  in_memory(ok_app, function(connect)
    local raw <close> = connect()
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
    aio.sleep(70)
    local start = now()
    raw:send "GET /ok HT"
    lu.assertEquals(raw:response().status, 408)
    lu.assertEquals(now() - start, 10)
    good(connect)
  end)
end

function T.test_idle_connections_are_closed()
  in_memory(ok_app, function(connect)
    local raw <close> = connect()
    local start = now()
    lu.assertTrue(raw:is_over()) -- nothing at all: as long as for a head
    lu.assertEquals(now() - start, 10)
    local used <close> = connect()
    lu.assertEquals(used:ask(get "/ok").body, "ok")
    aio.sleep(74)
    lu.assertEquals(used:ask(get "/ok").body, "ok")
    start = now()
    lu.assertTrue(used:is_over())
    lu.assertEquals(now() - start, 75)
    good(connect)
  end)
end

function T.test_slow_bodies()
  in_memory(ok_app, function(connect)
    for _, framing in ipairs { "Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n" } do
      local raw <close> = connect()
      raw:send("POST /read HTTP/1.1\r\nHost: h\r\n", framing, "\r\n")
      local start = now()
      aio.sleep(29)
      raw:send(framing:find "chunked" and "1\r\na\r\n" or "a")
      local res = raw:response()
      lu.assertEquals({ res.status, res.headers.Connection }, { 408, "close" })
      lu.assertEquals(now() - start, 59)
      lu.assertTrue(raw:is_over())
    end
    good(connect)
  end)
end

function T.test_a_body_that_comes_steadily_has_its_time()
  in_memory(ok_app, function(connect)
    local raw <close> = connect()
    raw:send "POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"
    for i = 0, 9 do
      aio.sleep(20)
      raw:send(tostring(i))
    end
    lu.assertEquals(raw:response().body, "0123456789")
  end)
end

local BIG = ("x"):rep(1 << 20)

function T.test_clients_that_do_not_read()
  local aborted = 0
  in_memory(function(app)
    ok_app(app)
    app:get("/big", function() return BIG end)
    app:get("/stream", function()
      return http.stream(function(out)
        local _ <close> = aio.defer(function() aborted = aborted + 1 end)
        while true do out:write(BIG) end
      end)
    end)
  end, function(connect)
    for _, path in ipairs { "/big", "/stream" } do
      local raw <close>, task = connect()
      local start = now()
      raw:send(get(path))
      task:await()
      lu.assertTrue(now() - start >= 30 and now() - start <= 40)
      good(connect)
    end
    lu.assertEquals(aborted, 1)
  end)
end

function T.test_clients_that_read_slowly_get_everything()
  in_memory(function(app)
    ok_app(app)
    app:get("/big", function() return BIG end)
  end, function(connect)
    local raw <close> = connect()
    raw:send(get "/big")
    raw.conn:readuntil "\r\n\r\n"
    local size = 0
    while size < #BIG do
      aio.sleep(10)
      size = size + #raw.conn:read(70000)
    end
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

-- The last answer of a connection is not waited for for ever either.
function T.test_clients_that_do_not_read_the_last_answer()
  in_memory(function(app)
    ok_app(app)
    app:get("/some", function() return BIG:sub(1, 130000) end)
  end, function(connect)
    local raw <close>, task = connect()
    local start = now()
    raw:send(get("/some", "Connection: close\r\n"))
    task:await()
    lu.assertTrue(now() - start <= 40)
    good(connect)
  end)
end

function T.test_limits_are_options()
  in_memory(ok_app, function(connect)
    local start = now()
    local raw <close> = connect()
    raw:send "G"
    lu.assertEquals(raw:response().status, 408)
    lu.assertEquals(now() - start, 2)
    local idle <close> = connect()
    idle:ask(get "/ok")
    start = now()
    lu.assertTrue(idle:is_over())
    lu.assertEquals(now() - start, 5)
  end, { head_timeout = 2, keepalive_timeout = 5 })
end

-- ---- a WebSocket whose client does not read ----

local WEBSOCKET = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
  .. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

-- Runs handler(ws) for a client that reads only what `reading(raw)` does, then how long it ran.
local function with_slow_reader(handler, reading)
  local seconds
  in_memory(function(app)
    ok_app(app)
    app:websocket("/ws", handler)
  end, function(connect)
    local raw, task = connect { capacity = 1000 }
    raw:send(get("/ws", WEBSOCKET))
    raw.conn:readuntil "\r\n\r\n"
    local start = now()
    reading(raw)
    task:await()
    seconds = now() - start
    raw:close()
    good(connect)
  end, { write_timeout = 20 })
  return seconds
end

function T.test_a_websocket_whose_client_does_not_read()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local raised
  local seconds = with_slow_reader(function(ws)
    raised = select(2, pcall(function()
      while true do ws:send(("x"):rep(100000)) end
    end))
    error(raised, 0) -- is not reported
  end, function() end)
  lu.assertTrue(seconds >= 20 and seconds <= 25, seconds)
  lu.assertTrue(aio.is(raised, http.WebSocketError))
  lu.assertEquals({ raised.code, raised.os_error.code }, { 1006, "ETIMEDOUT" })
end

-- One who takes less than several tasks send together does take something.
function T.test_a_websocket_whose_client_reads_slowly()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local sent, size = 0, 0
  with_slow_reader(function(ws)
    local group <close> = aio.TaskGroup()
    for i = 1, 5 do
      group:create_task(function()
        aio.sleep(i * 20)
        ws:send(("x"):rep(400000))
        sent = sent + 1
      end)
    end
  end, function(raw)
    while sent < 5 do
      aio.sleep(4)
      size = size + #raw.conn:read(20000)
    end
    raw.conn:abort()
  end)
  lu.assertTrue(size > 1500000, size)
end

function T.test_the_close_of_a_websocket_whose_client_does_not_read()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local seconds = with_slow_reader(function(ws)
    pcall(aio.timeout, 1, ws.send, ws, ("x"):rep(500000))
    ws:close()
  end, function() end)
  lu.assertEquals(seconds, 11)
end

-- ---- bytes ----

-- Every head of tests/support/http_bad.lua over a socket: the refusal, then the next request.
function T.test_what_is_no_request_is_refused_and_the_next_one_served()
  serve(ok_app, function(server)
    for _, case in ipairs(require("support.http_bad").requests) do
      local text, status = case[1], case[2]
      local raw <close> = server:connect()
      -- a request that follows must not be taken for one
      raw:send(text, get "/ok")
      local res = raw:response()
      lu.assertEquals({ res.status, res.headers.Connection }, { status, "close" }, text:sub(1, 60))
      lu.assertTrue(#res.body < 200)
      lu.assertNil(res.body:find "[\0-\8\14-\31\127-\255]")
      lu.assertTrue(raw:is_over())
      lu.assertEquals(once(server, get "/ok").body, "ok")
    end
  end)
end

-- The client has gone while its answer was sent: nobody's error, so no report.
function T.test_a_client_that_has_gone_is_no_error_of_the_handler()
  local reports, ended = {}, 0
  serve_timed(function(app)
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    ok_app(app)
    local function flood(out)
      local _ <close> = aio.defer(function() ended = ended + 1 end)
      while true do
        out:write(BIG)
        aio.sleep(0)
      end
    end
    app:get("/flood", function() return http.stream(flood) end)
    app:get("/group", function()
      return http.stream(function(out)
        local group <close> = aio.TaskGroup()
        group:create_task(flood, out)
      end)
    end)
  end, function(server)
    for _, path in ipairs { "/flood", "/group" } do
      do
        local raw <close> = server:connect()
        raw:send(get(path))
        raw.conn:readuntil "\r\n\r\n"
        raw.conn:abort()
      end
      lu.assertEquals(once(server, get "/ok").body, "ok")
    end
    aio.sleep(0.02)
    lu.assertEquals({ ended, #reports }, { 2, 0 })
  end)
end

function T.test_malformed_chunks()
  serve(ok_app, function(server)
    for _, chunks in ipairs { "x\r\n", "-1\r\na\r\n", "1\r\nab\r\n0\r\n\r\n", "1\na\n0\n\n",
      "ffffffffffffffffff\r\n", "1;" .. ("x"):rep(10000) .. "\r\n", " 1\r\na\r\n0\r\n\r\n",
      "0\r\n" .. ("X: y\r\n"):rep(2000) .. "\r\n" } do
      local raw <close> = server:connect()
      raw:send("POST /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", chunks)
      local res = raw:response()
      lu.assertTrue(res.status >= 400 and res.status < 500, chunks:sub(1, 20))
      lu.assertEquals(res.headers.Connection, "close")
      lu.assertEquals(once(server, get "/ok").body, "ok")
    end
  end)
end

-- The body of a request that was to become something else is a body, not the next request.
function T.test_a_refused_upgrade_whose_body_follows()
  local evil = 0
  serve(function(app)
    ok_app(app)
    app:post("/ok", function() return "posted" end)
    app:get("/evil", function()
      evil = evil + 1
      return ""
    end)
  end, function(server)
    local body = get "/evil"
    local head = "POST /ok HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    for _, framed in ipairs {
      ("Content-Length: %d\r\n\r\n%s"):format(#body, body),
      ("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(#body, body),
    } do
      local raw <close> = server:connect()
      lu.assertEquals(raw:ask(head .. framed).body, "posted")
      lu.assertEquals(raw:ask(get "/ok").body, "ok")
    end
    lu.assertEquals(evil, 0)
  end)
end

function T.test_a_hundred_thousand_chunks_of_a_byte()
  serve(ok_app, function(server)
    local raw <close> = server:connect()
    local text = ("1\r\na\r\n"):rep(100000) .. "0\r\n\r\n"
    local head = "POST /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    local res = raw:ask(head .. text)
    lu.assertEquals(res.body, ("a"):rep(100000))
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

function T.test_the_client_leaves_in_the_middle_of_a_body()
  local seen = {}
  serve_timed(function(app)
    ok_app(app)
    app:post("/see", function(req)
      local ok, err = pcall(req.read, req)
      seen[#seen + 1] = not ok and err.name
      error(err, 0)
    end)
  end, function(server)
    for _, framing in ipairs {
      "Content-Length: 10\r\n\r\n12", "Transfer-Encoding: chunked\r\n\r\n2\r\n",
    } do
      do
        local raw <close> = server:connect()
        raw:send("POST /see HTTP/1.1\r\nHost: h\r\n", framing)
      end
      lu.assertEquals(once(server, get "/ok").body, "ok")
    end
    aio.sleep(0.02)
    lu.assertEquals(seen, { "IncompleteReadError", "IncompleteReadError" })
  end)
end

-- A client that sends half a head and goes gets no answer that anybody could take for one.
function T.test_half_a_request()
  serve(ok_app, function(server)
    local raw <close> = server:connect()
    raw:send "GET /ok HTTP/1.1\r\nHo"
    raw.conn:write_eof()
    lu.assertEquals(raw:response().status, 400)
    local nothing <close> = server:connect()
    nothing.conn:write_eof()
    lu.assertTrue(nothing:is_over())
    lu.assertEquals(once(server, get "/ok").body, "ok")
  end)
end

-- A client that has said all it has to say still gets its answers.
function T.test_half_closed_connections()
  serve(ok_app, function(server)
    local raw <close> = server:connect()
    raw:send(get "/ok", get "/ok")
    raw.conn:write_eof()
    for _ = 1, 2 do lu.assertEquals(raw:response().body, "ok") end
    lu.assertTrue(raw:is_over())
  end)
end

function T.test_the_body_cannot_be_read_when_the_handler_has_ended()
  local kept
  serve(function(app)
    app:post("/keep", function(req)
      kept = req
      return ""
    end)
    ok_app(app)
  end, function(server)
    local raw <close> = server:connect()
    raw:ask(support.post("/keep", "abc"))
    lu.assertErrorMsgContains("only while its handler runs", kept.read, kept)
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

-- A little that becomes very much: refused as soon as it is more than a handler takes.
function T.test_zip_bombs()
  local optional = require "aio.optional"
  if not optional.has "zlib" then lu.skip "no library for compression" end
  local zlib = optional.load "zlib"
  local function gzip(text) return zlib.deflate("gzip", 9):write(text, "finish") end
  local function coded(body)
    return support.post("/read", body, "Content-Encoding: gzip\r\n")
  end
  local size
  serve(function(app)
    ok_app(app)
    app:post("/count", function(req)
      size = 0
      for data in req.content:chunks() do size = size + #data end
      return "counted"
    end)
  end, function(server)
    local bomb = gzip(("\0"):rep(3 << 20))
    lu.assertTrue(#bomb < 4000)
    local raw <close> = server:connect()
    lu.assertEquals(raw:ask(coded(gzip "hello")).body, "hello")
    lu.assertEquals(raw:ask(coded(bomb)).status, 413)
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
    local res = once(server, coded "no gzip at all")
    lu.assertEquals(res.status, 400)
    res = once(server, (coded(bomb):gsub("/read", "/count"))) -- streamed, but beyond measure
    lu.assertEquals(res.status, 413)
    lu.assertTrue(size <= 2 << 20)
    res = once(server, support.post("/read", "x", "Content-Encoding: secret\r\n"))
    lu.assertEquals(res.status, 415)
    lu.assertEquals(once(server, get "/ok").body, "ok")
  end)
end

-- The task of a connection is cancelled after so many turns of the loop: nothing is left.
function T.test_cancelled_at_any_point()
  for turns = 0, 40 do
    in_memory(function(app)
      ok_app(app)
      app:get("/slow", function()
        aio.sleep(0)
        return "slow"
      end)
      app:get("/stream", function()
        return http.stream(function(out)
          for _ = 1, 3 do
            out:write "x"
            aio.sleep(0)
          end
        end)
      end)
    end, function(connect)
      local raw <close>, task = connect { chunk = 30 }
      raw:send(get "/slow", support.post("/read", "body"), get "/stream", get "/ok")
      for _ = 1, turns do aio.sleep(0) end
      task:cancel()
      pcall(task.await, task)
      raw.conn:abort()
    end, { shutdown_timeout = 1 })
  end
end

-- Whatever pieces the bytes come in, the answers are the same.
function T.test_pieces_by_a_seed()
  in_memory(ok_app, function(connect)
    for seed = 1, 20 do
      local raw <close> = connect { chunk = 7, seed = seed }
      for n = 1, 5 do
        local body = ("b"):rep(n * 50)
        raw:send(support.post("/read", body), get "/ok")
        lu.assertEquals(raw:response().body, body)
        lu.assertEquals(raw:response().body, "ok")
      end
    end
  end)
end

return T
