-- SPDX-License-Identifier: MIT
-- A server whose own code fails at odd places, and clients that end things early: no request gets
-- two answers, none gets another's, and no answer is lost.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"

local T = {}

local serve, get = support.serve, support.get

-- What the loop's handler of exceptions was told while fn ran.
local function reports_of(fn)
  local loop, seen = aio.get_running_loop(), {}
  loop:set_exception_handler(function(_, context)
    seen[#seen + 1] = context.message .. ": " .. tostring(context.exception)
  end)
  fn()
  loop:set_exception_handler(nil)
  return seen
end

local function bodies(raw, n)
  local all = {}
  for i = 1, n do
    local res = raw:response()
    all[i] = res and res.body or "nothing"
  end
  return all
end

function T.test_a_log_that_fails_answers_nothing_twice()
  serve(function(app)
    app:get("/{n}", function(req) return req.match_info.n end)
  end, function(server)
    local seen = reports_of(function()
      local raw <close> = server:connect()
      raw:send(get "/1" .. get "/2")
      lu.assertEquals(bodies(raw, 2), { "1", "2" })
    end)
    lu.assertEquals(#seen, 2)
    lu.assertStrContains(seen[1], "the access log failed")
  end, { access_log = true, access_log_to = function() error "no room" end })
end

-- Nor is one that does not come to its end kept from the log.
function T.test_a_response_that_breaks_off_in_the_access_log()
  local lines, gone = {}, aio.Event()
  serve(function(app)
    app:get("/fails", function()
      return http.stream(function(out)
        out:write "12345"
        error "in the middle"
      end)
    end)
    app:get("/leaves", function()
      return http.stream(function(out)
        out:write "123"
        gone:wait()
        while true do
          out:write "x"
          aio.sleep(0)
        end
      end)
    end)
  end, function(server)
    reports_of(function()
      local raw <close> = server:connect()
      raw:send(get "/fails")
      pcall(raw.rest, raw)
      local other = server:connect()
      other:send(get "/leaves")
      other.conn:readuntil "123"
      other.conn:abort()
      gone:set()
      while #lines < 2 do aio.sleep(0.001) end
    end)
  end, { access_log = "%U %s %B", access_log_to = function(line) lines[#lines + 1] = line end })
  lu.assertEquals(lines[1], "/fails 200 5")
  lu.assertStrMatches(lines[2], "/leaves 200 %d+")
  lu.assertEquals(#lines, 2)
end

function T.test_on_response_prepare_fails()
  serve(function(app)
    app:get("/", function() return "a" end)
    app:get("/bad", function() error "the handler" end)
    app:on_response_prepare(function() error "the signal" end)
  end, function(server)
    local seen = reports_of(function()
      local raw <close> = server:connect()
      raw:send(get "/" .. get "/bad" .. get "/none")
      for _ = 1, 3 do lu.assertEquals(raw:response().status, 500) end
    end)
    lu.assertEquals(#seen, 4) -- that of the handler, and three of the signal
  end)
end

function T.test_an_exception_that_cannot_be_sent()
  serve(function(app)
    app:get("/", function() error(http.NotFound("no", { headers = { X = "a\r\nb" } })) end)
    app:get("/next", function() return "next" end)
  end, function(server)
    local seen = reports_of(function()
      local raw <close> = server:connect()
      raw:send(get "/" .. get "/next")
      lu.assertEquals(raw:response().status, 500)
      lu.assertEquals(raw:response().body, "next")
    end)
    lu.assertEquals(#seen, 1)
  end)
end

-- Where there is no body, nobody says how long it is.
function T.test_framing_of_ones_own()
  serve(function(app)
    app:get("/204", function()
      return http.Response { status = 204, headers = { ["Content-Length"] = "5" } }
    end)
    app:get("/304", function()
      return http.Response { status = 304, headers = { ["Transfer-Encoding"] = "chunked" } }
    end)
    app:get("/size", function()
      return http.Response { status = 304, headers = { ["Content-Length"] = "5" } }
    end)
  end, function(server)
    reports_of(function()
      local raw <close> = server:connect()
      raw:send(get "/204" .. get "/304" .. get "/size")
      lu.assertEquals({ raw:response().status, raw:response().status }, { 500, 500 })
      local res = raw:response()
      lu.assertEquals({ res.status, res.headers["Content-Length"] }, { 304, "5" })
    end)
  end)
end

-- A request without a body that announces one would swallow the next.
function T.test_framing_of_a_clients_own()
  serve(function(app)
    app:get("/", function(req) return tostring(req.body_exists) end)
  end, function(server)
    local function add(req, next)
      req.headers["Content-Length"] = "5"
      return next(req)
    end
    for _, opts in ipairs { { headers = { ["Transfer-Encoding"] = "chunked" } },
      { headers = { ["Content-Length"] = "5" } }, { middlewares = { add } } } do
      local session <close> = http.ClientSession(opts)
      lu.assertErrorMsgContains("leave it out", session.get, session, server:make_url "/")
      lu.assertEquals(session.connector._pool._used, 0)
    end
  end)
end

function T.test_a_task_that_outlives_its_stream_writes_nothing()
  local caught
  serve(function(app)
    app:get("/", function()
      return http.stream(function(out)
        aio.create_task(function()
          aio.sleep(0)
          caught = select(2, pcall(out.write, out, "late"))
        end)
        error "before the head"
      end)
    end)
    app:get("/next", function()
      for _ = 1, 3 do aio.sleep(0) end
      return "next"
    end)
  end, function(server)
    reports_of(function()
      local raw <close> = server:connect()
      raw:send(get "/" .. get "/next")
      lu.assertEquals(raw:response().status, 500)
      lu.assertEquals(raw:response().body, "next")
    end)
    lu.assertStrContains(tostring(caught), "this response has ended")
  end)
end

function T.test_a_handler_that_says_close()
  serve(function(app)
    app:get("/", function() return http.Response { body = "a", headers = { Connection = "Close" } }
    end)
  end, function(server)
    local raw <close> = server:connect()
    raw:send(get "/" .. get "/")
    local text = raw:rest()
    lu.assertEquals(select(2, text:gsub("HTTP/1.1 200", "")), 1)
    lu.assertEquals(select(2, text:lower():gsub("connection: close", "")), 1)
  end)
end

-- What the header Connection says is what the server does, whatever a handler says.
function T.test_a_handlers_own_connection()
  local function answer(value)
    return function()
      return http.Response { text = "a", headers = { { "Connection", value }, { "X", "y" } } }
    end
  end
  serve(function(app)
    app:get("/alive", answer "keep-alive")
    app:get("/other", answer "Keep-Alive, X")
    app:get("/disclosed", answer "x-disclosed")
    app:get("/two", function()
      return http.Response { text = "a", headers = { Connection = { "X", "close" } } }
    end)
    app:get("/stream", function()
      return http.stream(function(out) out:write "a" end,
        { headers = { Connection = "keep-alive" } })
    end)
  end, function(server)
    local close, alive = "Connection: close\r\n", "Connection: keep-alive\r\n"
    for _, case in ipairs { -- path, version, fields, what is said, does it go on?
      { "/alive", "1.1", "", "", true }, { "/alive", "1.1", close, "close", false },
      { "/alive", "1.0", "", "close", false }, { "/alive", "1.0", alive, "keep-alive", true },
      { "/other", "1.1", "", "X", true }, { "/other", "1.1", close, "X, close", false },
      { "/other", "1.0", alive, "X, keep-alive", true },
      { "/disclosed", "1.1", "", "x-disclosed", true }, { "/two", "1.1", "", "X, close", false },
      { "/stream", "1.1", "", "", true }, { "/stream", "1.1", close, "close", false },
      { "/stream", "1.0", alive, "close", false },
    } do
      local path, version, fields, said, goes_on = table.unpack(case)
      local raw <close> = server:connect()
      local res = raw:ask((get(path, fields):gsub("1%.1", version)))
      lu.assertEquals({ res.body, res.headers.X }, { "a", path ~= "/two" and path ~= "/stream"
        and "y" or nil })
      lu.assertEquals(table.concat(res.headers:get_all "Connection", "|"), said, path)
      if goes_on then
        lu.assertEquals(raw:ask(get "/alive").body, "a")
      else
        lu.assertTrue(raw:is_over())
      end
    end
  end)
end

-- The same object for many: the headers that it was given stay as they are.
function T.test_a_connection_of_ones_own_for_many_requests()
  local res = http.Response { text = "a", headers = { Connection = "close, X" } }
  serve(function(app) app:get("/", function() return res end) end, function(server)
    for _ = 1, 2 do
      local raw <close> = server:connect()
      lu.assertEquals(raw:ask(get "/").headers.Connection, "X, close")
      lu.assertTrue(raw:is_over())
    end
  end)
  lu.assertEquals(res.headers.Connection, "close, X")
end

function T.test_requests_behind_the_last_one_do_not_lose_its_answer()
  serve(function(app)
    app:get("/", function() return "a" end)
  end, function(server)
    local raw <close> = server:connect()
    local more = get("/", "X: " .. ("y"):rep(8000) .. "\r\n"):rep(40)
    raw:send(get("/", "Connection: close\r\n") .. more)
    aio.sleep(0.05) -- a reset would have come by now
    local res = raw:response()
    lu.assertEquals({ res.status, res.body }, { 200, "a" })
    lu.assertTrue(raw:is_over())
  end)
end

-- A client that forgets its WebSockets, or answers 101, does not run out of connections.
function T.test_connections_that_are_forgotten()
  if not env.has_tls() then return lu.skip "no library for TLS" end
  serve(function(app)
    app:websocket("/", function(ws) for _ in ws:messages() do end end)
  end, function(server)
    local connector <close> = http.Connector { limit = 1 }
    local session <close> = http.ClientSession { connector = connector, timeout = 60 }
    local seen = reports_of(function()
      for i = 1, 4 do
        (function()
          if i % 2 == 0 then return session:ws_connect(server:make_url "/") end
          local res = session:get(server:make_url "/", { headers = {
            Connection = "Upgrade", Upgrade = "websocket", ["Sec-WebSocket-Version"] = "13",
            ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
          } })
          lu.assertEquals(res.status, 101)
        end)()
        collectgarbage()
        collectgarbage()
        aio.sleep(0)
        lu.assertEquals(connector._pool._used, 0)
      end
    end)
    for _, text in ipairs(seen) do lu.assertStrContains(text, "a response was collected") end
  end)
end

function T.test_a_websocket_where_handlers_are_cancelled()
  if not env.has_tls() then return lu.skip "no library for TLS" end
  serve(function(app)
    app:websocket("/", function(ws) for msg in ws:messages() do ws:send(msg) end end)
  end, function(server)
    local session <close> = http.ClientSession()
    local ws <close> = session:ws_connect(server:make_url "/")
    for _, text in ipairs { "one", "two" } do
      ws:send(text)
      lu.assertEquals(ws:receive_str(), text)
    end
  end, { handler_cancellation = true })
end

local HANDSHAKE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
  .. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

-- The body is no frame of the WebSocket's.
function T.test_a_handshake_with_a_body()
  serve(function(app)
    app:websocket("/", function(ws) for msg in ws:messages() do ws:send(msg) end end)
    app:get("/next", function() return "next" end)
  end, function(server)
    local frame = require("aio.http.core").ws_frame(0x81, "smuggled")
    local bodies_of = {
      ("Content-Length: %d\r\n\r\n%s"):format(#frame, frame),
      ("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(#frame, frame),
    }
    for _, body in ipairs(bodies_of) do
      local raw <close> = server:connect()
      raw:send("GET / HTTP/1.1\r\nHost: h\r\n" .. HANDSHAKE .. body .. get "/next")
      lu.assertEquals(raw:response().status, 400)
      lu.assertEquals(raw:response().body, "next")
    end
  end)
end

-- The limit for heads holds for one that has begun while the handler ran.
function T.test_half_a_head_behind_a_request()
  support.in_memory(function(app)
    app:get("/", function() aio.sleep(1) return "a" end)
  end, function(connect)
    local raw = connect()
    raw:send(get "/" .. "GET / HT")
    lu.assertEquals(raw:response().body, "a")
    local now = aio.get_running_loop():time()
    lu.assertEquals(raw:response().status, 408)
    lu.assertEquals(aio.get_running_loop():time() - now, 10)
  end, { handler_cancellation = true })
end

-- What belongs to one request stays with it.
function T.test_one_object_for_many_requests()
  local calls = 0
  local whole = http.Response { body = ("x"):rep(5000), content_type = "text/plain" }
  local file = http.file(arg[0])
  local stream = http.stream(function(out) out:write(("y"):rep(5000)) end,
    { content_type = "text/plain" })
  local app = http.Application { compress = require("aio.optional").has "zlib" }
  app:get("/whole", function() return whole end)
  app:get("/file", function() return file end)
  app:get("/stream", function() return stream end)
  app:on_response_prepare(function(_, res)
    calls = calls + 1
    res.headers:add("X-Call", tostring(calls))
  end)
  aio.run(function()
    local server <close> = require("aio.http.testing").TestServer(app)
    local raw <close> = server:connect()
    for _, path in ipairs { "/whole", "/stream" } do
      raw:ask(get(path, "Accept-Encoding: gzip\r\n"))
      local res = raw:ask(get(path))
      lu.assertEquals({ #res.body, res.headers["Content-Encoding"] }, { 5000, nil })
      lu.assertEquals(res.headers:get_all "X-Call", { tostring(calls) })
    end
    lu.assertEquals(raw:ask(get("/file", "Range: bytes=0-3\r\n")).status, 206)
    local res = raw:ask(get "/file")
    lu.assertEquals({ res.status, res.headers["Content-Range"] }, { 200, nil })
    lu.assertEquals(raw:ask(get("/file", "Range: bytes=0-3\r\n")).status, 206)
  end)
end

-- The server stops just when the handler, or the function that sends events, has ended.
function T.test_a_cancellation_beside_the_look_for_the_client()
  local function cancel_soon()
    local task = aio.current_task()
    aio.get_running_loop():call_soon(function() task:cancel() end)
    return "a"
  end
  support.in_memory(function(app)
    app:get("/", cancel_soon)
    app:get("/events", function() return http.sse(cancel_soon) end)
  end, function(connect)
    for _, path in ipairs { "/", "/events" } do
      local raw, task = connect()
      raw:send(get(path))
      aio.wait({ task }, { timeout = 5 })
      lu.assertTrue(task:cancelled(), path)
    end
  end, { handler_cancellation = true })
end

-- Each of these took seconds, or hours: the time grew with the third power of the blanks.
function T.test_runs_of_blanks_in_headers()
  local blanks = (" "):rep(4000)
  serve(function(app)
    app:get("/", function(req) return (req.range and "range " or "- ") .. req.remote end)
    if env.has_tls() then app:websocket("/ws", function() end) end
  end, function(server)
    local raw <close> = server:connect()
    for _, field in ipairs {
      "Range: bytes=" .. blanks .. "-" .. blanks .. "x", "Range: bytes" .. blanks .. "=" .. blanks,
      "X-Forwarded-For: 1.1.1.1, x" .. blanks .. "x",
      "X-Forwarded-For: 1.1.1.1, x," .. blanks .. "x" .. blanks .. "x",
    } do
      lu.assertEquals(raw:ask(get("/", field .. "\r\n")).body, "- 127.0.0.1")
    end
    lu.assertEquals(raw:ask(get("/", "Range: bytes= 1-2 \r\n")).body, "range 127.0.0.1")
    lu.assertEquals(raw:ask(get("/", "X-Forwarded-For: 2.2.2.2,\t1.1.1.1\r\n")).body, "- 1.1.1.1")
    if not env.has_tls() then return end
    local fields = ("Connection: x%sx\r\n"):format(blanks):rep(10)
    lu.assertEquals(raw:ask(get("/ws", "Upgrade: websocket\r\n" .. fields)).status, 426)
  end, { forwarded = true })
end

return T
