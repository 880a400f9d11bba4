-- SPDX-License-Identifier: MIT
-- The parser of HTTP/1: what it refuses and what it takes, the same whether the bytes come at once,
-- one by one, in two pieces cut anywhere, or in front of a page that nobody may read.

local bad = require "support.http_bad"
local core = require "aio.core"
local env = require "support.env"
local lu = require "luaunit"

local hc = env.has_http() and require "aio.http.core"

local T = {}

function T.setUp()
  if not hc then lu.skip("this build has no library for HTTP") end
end

function T.test_random_bytes()
  for _, n in ipairs { 0, 1, 16, 65536 } do lu.assertEquals(#core._random(n), n) end
  lu.assertNotEquals(core._random(16), core._random(16))
  lu.assertErrorMsgContains("0 to 65536 bytes", core._random, -1)
  lu.assertErrorMsgContains("0 to 65536 bytes", core._random, 65537)
end

function T.test_module_table_loads_names_at_first_use()
  local http = require "aio.http"
  lu.assertNil(http.no_such_name)
  for name, value in pairs(http._load_all()) do
    if not name:find("^_") then lu.assertIs(value, http[name]) end
  end
  if env.build then lu.assertEquals(hc.llhttp ~= nil, env.option "AIO_LLHTTP" == "ON") end
end

-- ---- ways to come in ----

-- Feeds text[from..to] until the parser has it all or is done; how far it has come.
local function feed(p, text, from, to, give)
  while from <= to do
    local used, done = (give or p.feed)(p, text:sub(from, to))
    from = from + used
    if done then return from, true end
    if used == 0 then break end
  end
  return from, false
end

local function whole(p, text) return feed(p, text, 1, #text) end

local function bytes(p, text)
  local at, done = 1, false
  while at <= #text and not done do at, done = feed(p, text, at, at) end
  return at, done
end

local function guarded(p, text)
  return feed(p, text, 1, #text, env.host.feed_guarded)
end

local function cut_at(place)
  return function(p, text)
    local at, done = feed(p, text, 1, place)
    if done then return at, true end
    return feed(p, text, at, #text)
  end
end

-- Each way, by name; cuts at every place of a short text, at some of a long one.
local function ways(text)
  local list = { whole = whole, bytes = bytes }
  if env.host then list.guarded = guarded end
  local step = #text < 200 and 1 or #text // 50
  for place = 1, #text - 1, step do list["cut at " .. place] = cut_at(place) end
  return pairs(list)
end

local GOOD = {
  request = "GET /good HTTP/1.1\r\nHost: a\r\n\r\n",
  response = "HTTP/1.1 200 Good\r\nContent-Length: 0\r\n\r\n",
}

-- Refused with the same words in every way; the next good message is then taken.
local function check_bad(kind, case)
  local text, status, words = table.unpack(case)
  local said
  for way, give in ways(text) do
    local p = hc.parser(kind)
    give(p, text)
    local none, got, message = p:head()
    local where = ("%q, %s"):format(text:sub(1, 80), way)
    if none then lu.fail("taken: " .. where) end
    lu.assertEquals({ got, where }, { status, where })
    lu.assertStrContains(message, words)
    lu.assertTrue(#message < 200)
    lu.assertEquals(message, said or message)
    said = message
    lu.assertEquals({ p:feed "GET" }, { 0, true })
    p:next()
    lu.assertEquals({ give(p, GOOD[kind]) }, { #GOOD[kind] + 1, true })
    lu.assertTrue(p:head() ~= nil)
  end
end

function T.test_bad_requests()
  for _, case in ipairs(bad.requests) do check_bad("request", case) end
end

function T.test_bad_responses()
  for _, case in ipairs(bad.responses) do check_bad("response", case) end
end

-- ---- bodies in chunks ----

local CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

local function begin_body()
  local p = hc.parser "request"
  p:feed(CHUNKED)
  lu.assertEquals(select(5, p:head()), -1)
  return p
end

-- All data, then true at the end, false when more is wanted, or status and message.
local function body(give, text)
  local p, parts, at = begin_body(), {}, 1
  while true do
    local n, done = give(p, text:sub(at))
    at = at + n - 1
    if not done then done = select(2, p:feed "") end -- with an error behind the data
    if not done then return table.concat(parts), false, at end
    local data, last, message = p:body()
    if not data then return table.concat(parts), last, message end
    parts[#parts + 1] = data
    if last then return table.concat(parts), true, at end
  end
end

function T.test_bad_chunks()
  for _, case in ipairs(bad.chunked) do
    local text, status, words, good = table.unpack(case)
    for way, give in ways(text) do
      local data, got, message = body(give, text)
      local where = ("%q, %s"):format(text:sub(1, 80), way)
      lu.assertEquals({ got, where }, { status, where })
      lu.assertStrContains(message, words)
      lu.assertTrue(#message < 200)
      lu.assertEquals(#data, good or 0)
    end
  end
end

local CHUNKS = {
  { "0\r\n\r\n", "" }, { "000\r\n\r\n", "" }, { "5\r\nhello\r\n0\r\n\r\n", "hello" },
  { "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", ("0123456789"):rep(2) },
  { "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello" },
  { "2;a\r\nhe\r\n3;a=b;c=\"d\\\" \\\\\";e\r\nllo\r\n0;x\r\n\r\n", "hello" },
  { "2\r\n\r\n\r\n0\r\n\r\n", "\r\n" }, { "1\r\n0\r\n0\r\nA: b\r\nC:d\r\nE:\r\n\r\n", "0" },
  { "0\r\nHosts: b\r\nHos: c\r\n" .. ("x"):rep(100) .. ": d\r\n\r\n", "" },
  { "0\r\nA: " .. ("b"):rep(8000) .. "\r\n\r\n", "" },
  { "1;" .. ("a"):rep(255) .. "\r\nx\r\n0\r\n\r\n", "x" },
}

function T.test_good_chunks()
  for _, case in ipairs(CHUNKS) do
    local text, data = table.unpack(case)
    for way, give in ways(text) do
      local got, ended, at = body(give, text .. "GET / HTTP/1.1")
      lu.assertEquals({ got, ended, at - 1, way }, { data, true, #text, way })
      got, ended = body(give, text:sub(1, -2))
      lu.assertEquals({ got, ended, way }, { data, false, way })
    end
  end
end

-- Linear in time and constant in memory: this ends at once.
function T.test_many_chunks_of_one_byte()
  local text = ("1\r\nx\r\n"):rep(100000) .. "0\r\n\r\n"
  local p, at, total = begin_body(), 1, 0
  while true do
    at = at + p:feed(text:sub(at, at + 65535))
    local data, last = p:body()
    lu.assertTrue(#data <= 65536)
    total = total + #data
    if last then break end
  end
  lu.assertEquals({ total, at }, { 100000, #text + 1 })
end

-- The parser takes no more than it may hold; the rest is the stream's.
function T.test_data_that_nobody_takes()
  local p = begin_body()
  local text = "40000\r\n" .. ("x"):rep(0x40000)
  local used, done = p:feed(text)
  lu.assertEquals({ used, done }, { 65536 + 7, true })
  lu.assertEquals({ p:feed(text) }, { 0, true })
  lu.assertEquals(#p:body(), 65536)
  lu.assertEquals({ p:feed(("x"):rep(10)) }, { 10, true })
end

-- ---- what is taken ----

local KEEP, EXPECT, UPGRADE, OLD = 1, 2, 4, 8

-- method, target, minor, length, flags
local REQUESTS = {
  { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", 1, 0, KEEP },
  { "GET /a?b=c%20d HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET", "/a?b=c%20d", 1, 0, KEEP },
  { "GET /{a}|\"<>^`\\ HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/{a}|\"<>^`\\", 1, 0, KEEP },
  { "GET //evil/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "//evil/x", 1, 0, KEEP },
  { "GET / HTTP/1.0\r\n\r\n", "GET", "/", 0, 0, OLD },
  { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "/", 0, 0, OLD | KEEP },
  { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET", "/", 0, 0, OLD },
  { "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "GET", "/", 0, 0, OLD },
  { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET", "/", 1, 0, 0 },
  { "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE , y\r\n\r\n", "GET", "/", 1, 0, 0 },
  { "GET / HTTP/1.1\r\nHost: a\r\nConnection: x,\tclose\t ,y\r\n\r\n", "GET", "/", 1, 0, 0 },
  { "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection:,close\t,\r\n\r\n", "GET", "/", 1, 0,
    0 },
  { "GET / HTTP/1.0\r\nConnection: x\t,\tkeep-alive\t,\r\n\r\n", "GET", "/", 0, 0, OLD | KEEP },
  { "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, x\r\nUpgrade: websocket\r\n\r\n", "GET", "/",
    1, 0, KEEP | UPGRADE },
  { "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "GET", "/", 1, 0, KEEP },
  { "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 3\r\n"
    .. "\r\n", "POST", "/", 1, 3, KEEP | UPGRADE },
  { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "POST", "/", 1, 5, KEEP },
  { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\n", "POST", "/", 1, 5, KEEP },
  { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n", "POST", "/", 1,
    999999999999999999, KEEP },
  { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n", "POST", "/", 1, -1, KEEP },
  { "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n", "POST", "/",
    1, 5, KEEP | EXPECT },
  { "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "PUT", "/", 0, 5, OLD },
  { "POST / HTTP/1.0\r\nExpect: x\r\n\r\n", "POST", "/", 0, 0, OLD },
  { "GET http://a/b?c HTTP/1.1\r\nHost: A\r\n\r\n", "GET", "http://a/b?c", 1, 0, KEEP },
  { "GET HTTPS://a:1?c HTTP/1.1\r\nHost: a:1\r\n\r\n", "GET", "HTTPS://a:1?c", 1, 0, KEEP },
  { "GET http://a/ HTTP/1.0\r\n\r\n", "GET", "http://a/", 0, 0, OLD },
  { "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", 1, 0, KEEP },
  { "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT", "a:443", 1, 0, KEEP },
  { "CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT", "[::1]:443", 1, 0, KEEP },
  { "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", "GET", "/", 1, 0, KEEP },
  { "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET", "/", 1, 0, KEEP },
  { "PROPFIND / HTTP/1.1\r\nhost:\ta \t\r\nX:\r\nY: \u{e4}\xff\ta \r\n\r\n", "PROPFIND", "/", 1, 0,
    KEEP },
  { "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", "M-SEARCH", "/", 1, 0, KEEP },
}

function T.test_good_requests()
  for _, case in ipairs(REQUESTS) do
    for way, give in ways(case[1]) do
      local p = hc.parser "request"
      lu.assertIsTrue(p:idle())
      local at, done = give(p, case[1] .. "rest")
      lu.assertEquals({ at - 1, done, way }, { #case[1], true, way })
      lu.assertIsFalse(p:idle())
      local head = table.pack(p:head())
      lu.assertEquals({ case[1], table.unpack(head, 2) }, { table.unpack(case) })
    end
  end
end

-- what it answers, then status, reason, minor, length, flags
local RESPONSES = {
  { "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "OK", 1, 5, KEEP },
  { "GET", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", 200, "", 1, 5, KEEP },
  { "GET", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n", 200, "", 1, 5, KEEP },
  { "GET", "HTTP/1.1 200 \u{e4}\tb\r\nContent-Length: 5\r\n\r\n", 200, "\u{e4}\tb", 1, 5, KEEP },
  { "GET", "HTTP/1.1 200 OK\r\n\r\n", 200, "OK", 1, -2, 0 },
  { "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "OK", 1, -1, KEEP },
  { "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "OK", 1, 0, KEEP },
  { "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "OK", 1, 0, KEEP },
  { "HEAD", "HTTP/1.1 200 OK\r\n\r\n", 200, "OK", 1, 0, KEEP },
  { "GET", "HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n", 204, "N", 1, 0, KEEP },
  { "GET", "HTTP/1.1 205 N\r\nContent-Length: 5\r\n\r\n", 205, "N", 1, 5, KEEP },
  { "GET", "HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", 304, "N", 1, 0, KEEP },
  { "GET", "HTTP/1.1 100 Continue\r\n\r\n", 100, "Continue", 1, 0, KEEP },
  { "GET", "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 101, "S", 1, 0,
    KEEP | UPGRADE },
  { "CONNECT", "HTTP/1.1 200 OK\r\n\r\n", 200, "OK", 1, 0, KEEP },
  { "CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "OK", 1, 0, KEEP },
  { "CONNECT", "HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", 407, "No", 1, 5, KEEP },
  { "GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "OK", 0, 5, OLD },
  { "GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", 200, "OK", 0,
    5, OLD | KEEP },
  { "GET", "HTTP/1.1 999 X\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", 999, "X", 1, 5, 0 },
}

function T.test_good_responses()
  for _, case in ipairs(RESPONSES) do
    for way, give in ways(case[2]) do
      local p = hc.parser "response"
      p:begin(case[1])
      local at, done = give(p, case[2] .. "rest")
      lu.assertEquals({ at - 1, done, way }, { #case[2], true, way })
      local head = table.pack(p:head())
      lu.assertEquals({ case[1], case[2], table.unpack(head, 2) }, { table.unpack(case) })
    end
  end
end

-- ---- limits ----

local function taken(limits, text)
  local said
  for _, give in ipairs { whole, bytes } do
    local p = hc.parser("request", limits)
    give(p, text)
    local ok, status = p:head()
    local verdict = ok and true or status
    lu.assertEquals(verdict, said == nil and verdict or said)
    said = verdict
  end
  return said
end

function T.test_limits_hold_to_the_byte()
  local function target(n) return ("GET /%s HTTP/1.0\r\n\r\n"):format(("a"):rep(n - 14)) end
  lu.assertIsTrue(taken({ line = 100 }, target(100)))
  lu.assertEquals(taken({ line = 100 }, target(101)), 414)
  local function field(n) return ("GET / HTTP/1.0\r\nA: %s\r\n\r\n"):format(("b"):rep(n - 3)) end
  lu.assertIsTrue(taken({ field = 100 }, field(100)))
  lu.assertEquals(taken({ field = 100 }, field(101)), 431)
  local function fields(n) return ("GET / HTTP/1.0\r\n%s\r\n"):format(("A: b\r\n"):rep(n)) end
  lu.assertIsTrue(taken({ fields = 10 }, fields(10)))
  lu.assertEquals(taken({ fields = 10 }, fields(11)), 431)
  lu.assertIsTrue(taken({ head = 78 }, fields(10)))
  lu.assertEquals(taken({ head = 77 }, fields(10)), 431)
  for n = 1, 77 do lu.assertEquals(taken({ head = n }, fields(10)), 431) end
  lu.assertIsTrue(taken({ line = 65535, field = 65535, head = 1 << 20, fields = 65535 },
    ("GET / HTTP/1.0\r\n%s\r\n"):format((("A: %s\r\n"):format(("b"):rep(65000))):rep(10))))
end

function T.test_limits_that_make_no_sense()
  local senseless = { line = 65536, field = -1, fields = 1.5, head = 1 << 40, trailers = "x" }
  for name, value in pairs(senseless) do
    lu.assertErrorMsgContains(("'%s' must be an integer"):format(name), hc.parser, "request",
      { [name] = value })
  end
  lu.assertErrorMsgContains("invalid option", hc.parser, "both")
end

-- ---- the order of things ----

function T.test_messages_one_behind_the_other()
  local p, text, at, n = hc.parser "request", (REQUESTS[1][1]):rep(100), 1, 0
  while at <= #text do
    local used, done = p:feed(text:sub(at))
    at = at + used
    lu.assertIsTrue(done)
    lu.assertEquals(select(2, p:head()), "GET")
    p:next()
    lu.assertIsTrue(p:idle())
    n = n + 1
  end
  lu.assertEquals(n, 100)
end

function T.test_calls_out_of_order()
  local p = hc.parser "request"
  lu.assertErrorMsgContains("no head", p.head, p)
  lu.assertErrorMsgContains("no body", p.body, p)
  p:feed "GET / HT"
  lu.assertErrorMsgContains("no head", p.head, p)
  p:feed "TP/1.0\r\n\r\n"
  p:head()
  lu.assertErrorMsgContains("no head", p.head, p)
  lu.assertErrorMsgContains("no body", p.body, p)
  lu.assertEquals({ p:feed "x" }, { 0, true })
  p:next()
  lu.assertErrorMsgContains("parser", p.head, io.stdout)
end

-- An error in a body stays until the next message.
function T.test_after_a_bad_body()
  local p = begin_body()
  p:feed "2\r\nabX"
  lu.assertEquals({ p:body() }, { "ab", false })
  for _ = 1, 2 do lu.assertEquals(select(2, p:body()), 400) end
  p:next()
  p:feed(GOOD.request)
  lu.assertEquals(select(2, p:head()), "GET")
end

return T
