-- SPDX-License-Identifier: MIT
-- Server-sent events: what is written, what is read, and the life of the response. Time is virtual.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local aio = require "aio"
local http = require "aio.http"
local event_parser = require "aio.http.event_parser"
local http_testing = require "aio.http.testing"
local testing = require "aio.testing"

local T = {}

-- ---- reading ----

local function parsed(text, step)
  local parser, events = event_parser.new(), {}
  for i = 1, #text, step do
    parser:feed(text:sub(i, i + step - 1))
    for event in parser.next, parser do events[#events + 1] = event end
  end
  return events, parser
end

-- What comes, and the events: event, data, id.
local CASES = {
  { "data: one\n\n", { "message", "one", "" } },
  { "data: one\r\n\r\ndata: two\r\rdata: three\n\n", { "message", "one", "" },
    { "message", "two", "" }, { "message", "three", "" } },
  { "data: YHOO\ndata: +2\ndata: 10\n\n", { "message", "YHOO\n+2\n10", "" } },
  { ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    { "message", "first event", "1" }, { "message", "second event", "" },
    { "message", " third event", "" } },
  { "data\n\ndata\ndata\n\ndata:", { "message", "", "" }, { "message", "\n", "" } },
  { "data:test\n\ndata: test\n\n", { "message", "test", "" }, { "message", "test", "" } },
  { "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: x\n\n",
    { "add", "73857293", "" }, { "remove", "2153", "" }, { "message", "x", "" } },
  { "id: 7\n\nevent: nothing\n\ndata: x\n\n", { "message", "x", "7" } },
  { "\xef\xbb\xbfdata: after the mark\n\n", { "message", "after the mark", "" } },
  { "\xef\xbb\xbf\xef\xbb\xbfdata: one mark too many\n\ndata: x\n\n", { "message", "x", "" } },
  { "id: a\0b\ndata: a zero in the id\n\n", { "message", "a zero in the id", "" } },
  { "Data: x\nfoo: bar\ndata : y\n\ndata: z\n\n", { "message", "z", "" } },
  { "data: a\n\n\n\ndata: b\n\n", { "message", "a", "" }, { "message", "b", "" } },
  { "data: no end\n" },
  { "data: no end" },
  { "data: a:b: c\n\n", { "message", "a:b: c", "" } },
  { "event: é€😀\ndata: \xff\0\n\n", { "é€😀", "\xff\0", "" } },
}

function T.test_streams_in_pieces_of_every_size()
  for _, case in ipairs(CASES) do
    for _, step in ipairs { 1, 2, 3, 5, #case[1] } do
      local got = {}
      for _, e in ipairs((parsed(case[1], step))) do got[#got + 1] = { e.event, e.data, e.id } end
      lu.assertEquals(got, table.move(case, 2, #case, 1, {}), case[1])
    end
  end
end

function T.test_retry()
  local events, parser = parsed("retry: 100\n\nretry: x\nretry: 1.5\nretry\ndata: a\n\n", 1)
  lu.assertEquals(events, { { event = "message", data = "a", id = "", retry = 100 } })
  lu.assertEquals(parser.retry, 100)
  lu.assertEquals(parser.last_event_id, "")
end

function T.test_an_event_without_end_is_refused()
  for _, piece in ipairs { "data: " .. ("x"):rep(1000) .. "\n", ("x"):rep(1000) } do
    local parser = event_parser.new()
    local ok, err = pcall(function()
      for _ = 1, 2000 do parser:feed(piece) end
    end)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.LimitOverrunError))
  end
  parsed((": comment " .. ("x"):rep(1000) .. "\n"):rep(2000), 10000) -- is not kept
end

-- ---- writing ----

-- fn(server, path) with an application that answers "/" by http.sse.
local function serve(handler, fn, opts, server_opts)
  testing.run(function()
    local app = http.Application()
    app:get("/", function() return http.sse(handler, opts) end)
    local server <close> = http_testing.TestServer(app, server_opts)
    fn(server)
  end)
end

local REQUEST = "GET / HTTP/1.1\r\nHost: h\r\n"

local function body_of(handler, opts)
  local body, headers
  serve(handler, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(REQUEST .. "\r\n")
    lu.assertEquals(res.status, 200)
    body, headers = res.body, res.headers
  end, opts)
  return body, headers
end

function T.test_what_is_sent()
  local body, headers = body_of(function(events)
    events:send "one"
    events:send { data = "two\nlines", event = "kind", id = "7" }
    events:send { data = 3, id = 8 }
    events:send { data = "a\r\nb\rc\n" }
    events:send { retry = 2500 }
    events:send { comment = "not\nseen" }
    events:send ""
    events:send { id = "", data = "x", comment = "c", retry = 0, event = "e" }
  end)
  lu.assertEquals(body, "data: one\n\nevent: kind\nid: 7\ndata: two\ndata: lines\n\n"
    .. "id: 8\ndata: 3\n\ndata: a\ndata: b\ndata: c\ndata: \n\nretry: 2500\n\n: not\n: seen\n\n"
    .. "data: \n\n: c\nevent: e\nid: \nretry: 0\ndata: x\n\n")
  lu.assertEquals(headers["Content-Type"], "text/event-stream")
  lu.assertEquals(headers["Cache-Control"], "no-store")
  lu.assertEquals(headers["X-Accel-Buffering"], "no")
end

function T.test_what_is_sent_is_read()
  local sent = { "", "a", "a\nb", "\n", "\n\n", " x", ":", "é", "data: x\n\nid: 5", "a\rb" }
  local body = body_of(function(events)
    for _, data in ipairs(sent) do events:send(data) end
  end)
  for _, step in ipairs { 1, 1000 } do
    local events = parsed(body, step)
    lu.assertEquals(#events, #sent)
    for i, event in ipairs(events) do
      lu.assertEquals(event.data, (sent[i]:gsub("\r", "\n")))
    end
  end
end

function T.test_what_cannot_be_sent()
  local wrong = {
    { { event = "a\nb" }, "field 'event': one line" }, { { id = "a\0" }, "field 'id': one line" },
    { { id = {} }, "field 'id': string expected" }, { { data = {} }, "aio.json.encode" },
    { { retry = -1 }, "field 'retry'" }, { { retry = "x" }, "field 'retry'" },
    { {}, "another field, expected" }, { 5, "table of fields or string" },
    { { nonsense = 1 }, "unknown field 'nonsense'" }, { { comment = true }, "field 'comment'" },
  }
  local body = body_of(function(events)
    for _, case in ipairs(wrong) do
      lu.assertErrorMsgContains(case[2], events.send, events, case[1])
    end
    lu.assertErrorMsgContains("write a colon", events.send, "x")
  end)
  lu.assertEquals(body, "")
  lu.assertErrorMsgContains("function(events) expected", http.sse, 5)
  lu.assertErrorMsgContains("'heartbeat'", http.sse, print, { heartbeat = 0 })
  lu.assertErrorMsgContains("unknown option", http.sse, print, { beat = 1 })
end

function T.test_headers_and_the_last_id()
  serve(function(events, req)
    events:send(events.last_event_id .. req.path)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(REQUEST .. "Last-Event-ID: 41\r\n\r\n")
    lu.assertEquals(res.body, "data: 41/\n\n")
    lu.assertEquals(res.headers["Cache-Control"], "no-cache")
    lu.assertEquals(raw:ask(REQUEST .. "Last-Event-ID: 42\r\n\r\n").body, "data: 42/\n\n")
  end, { headers = { ["Cache-Control"] = "no-cache" } })
end

-- ---- time ----

function T.test_comments_while_it_is_quiet()
  local body = body_of(function(events)
    events:send "a"
    aio.sleep(35)
    events:send "b"
    aio.sleep(14)
  end)
  lu.assertEquals(body, "data: a\n\n:\n\n:\n\ndata: b\n\n")
  body = body_of(function(events)
    aio.sleep(1000)
    events:send "b"
  end, { heartbeat = false })
  lu.assertEquals(body, "data: b\n\n")
end

-- A request that comes meanwhile has to wait, and is answered.
function T.test_the_next_request_is_answered_after_it()
  serve(function(events)
    aio.sleep(40)
    events:send "x"
  end, function(server)
    local raw <close> = server:connect()
    raw:send((REQUEST .. "\r\n"):rep(2))
    for _ = 1, 2 do lu.assertEquals(raw:response().body, ":\n\n:\n\ndata: x\n\n") end
  end)
end

function T.test_a_client_that_goes_cancels_the_function()
  for _, heartbeat in ipairs { 15, false } do
    local ended, began
    serve(function(events)
      began = aio.get_running_loop():time()
      local _ <close> = aio.defer(function()
        ended = aio.get_running_loop():time()
      end)
      events:send "a"
      aio.sleep(10000)
    end, function(server)
      local raw = server:connect()
      raw:send(REQUEST .. "\r\n")
      raw.conn:readuntil "data: a\n\n"
      raw:close()
      raw.conn:wait_closed()
      aio.sleep(1)
      lu.assertTrue(ended and ended - began < 1)
    end, { heartbeat = heartbeat })
  end
end

function T.test_a_client_that_is_seen_to_be_gone_only_by_writing()
  local ended
  serve(function(events)
    local _ <close> = aio.defer(function() ended = true end)
    events:send "a"
    aio.sleep(10000)
  end, function(server)
    local raw = server:connect()
    raw:send((REQUEST .. "\r\n"):rep(2)) -- the second one hides the end
    raw.conn:readuntil "data: a\n\n"
    raw.conn:abort()
    aio.sleep(100)
    lu.assertTrue(ended)
  end)
end

function T.test_a_function_that_fails_breaks_the_connection()
  local reported = 0
  serve(function(events)
    events:send "a"
    error "broken"
  end, function(server)
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      if tostring(ctx.exception):find "broken" then reported = reported + 1 end
    end)
    local raw <close> = server:connect()
    raw:send(REQUEST .. "\r\n")
    lu.assertErrorMsgContains("", raw.response, raw)
  end)
  lu.assertEquals(reported, 1)
end

function T.test_a_client_that_does_not_read_makes_the_function_wait()
  local sent = 0
  serve(function(events)
    for _ = 1, 1000 do
      events:send(("x"):rep(100000))
      sent = sent + 1
    end
  end, function(server)
    local raw = server:connect()
    raw:send(REQUEST .. "\r\n")
    aio.sleep(5)
    lu.assertTrue(sent < 900)
    raw.conn:abort()
    aio.sleep(40)
  end, nil, { write_timeout = 30 })
end

-- ---- the client of aio.http ----

function T.test_events_of_a_response()
  serve(function(events)
    for i = 1, 3 do
      events:send { data = "line 1\nline 2", id = i, event = i == 2 and "two" or nil }
      aio.sleep(20)
    end
  end, function(server)
    local client <close> = http_testing.TestClient(server)
    local got = {}
    local res <close> = client:get "/"
    for event in res:events() do got[#got + 1] = event end
    lu.assertEquals(got, {
      { event = "message", data = "line 1\nline 2", id = "1" },
      { event = "two", data = "line 1\nline 2", id = "2" },
      { event = "message", data = "line 1\nline 2", id = "3" },
    })
  end)
end

return T
