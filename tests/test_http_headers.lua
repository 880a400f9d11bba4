-- SPDX-License-Identifier: MIT
-- Headers: those that were received and those to be sent; the heads that are made of them.

local env = require "support.env"
local lu = require "luaunit"

local has = env.has_http()
local hc = has and require "aio.http.core"
local http = has and require "aio.http"

local T = {}

function T.setUp()
  if not has then lu.skip("this build has no library for HTTP") end
end

local FIELDS = { "Host", "here", "X-One", "1", "x-one", "2", "Empty", "", "X-Long", ("v"):rep(300) }

local function received()
  local lines = {}
  for i = 1, #FIELDS, 2 do lines[#lines + 1] = FIELDS[i] .. ": " .. FIELDS[i + 1] .. "\r\n" end
  local p = hc.parser "request"
  p:feed("GET / HTTP/1.1\r\n" .. table.concat(lines) .. "\r\n")
  return (p:head())
end

local function made()
  local h = http.Headers()
  for i = 1, #FIELDS, 2 do h:add(FIELDS[i], FIELDS[i + 1]) end
  return h
end

local function flat(h)
  local list = {}
  for name, value in pairs(h) do
    list[#list + 1] = name
    list[#list + 1] = value
  end
  return list
end

function T.test_reading_is_the_same_for_both_kinds()
  for _, h in ipairs { received(), made(), http.Headers(received()), http.Headers(made()) } do
    lu.assertEquals(flat(h), FIELDS)
    lu.assertEquals(#h, 5)
    lu.assertEquals({ h.host, h["HOST"], h["X-ONE"], h.empty }, { "here", "here", "1", "" })
    lu.assertNil(h["No-Such"])
    lu.assertNil(h[1.5])
    lu.assertEquals({ h:get("x-one"), h:get("none", "otherwise"), h:get "none" },
      { "1", "otherwise" })
    lu.assertEquals(h:get_all "X-One", { "1", "2" })
    lu.assertEquals(h:get_all "none", {})
    -- an empty list is one in JSON, too
    lu.assertIs(getmetatable(h:get_all "none"), require "aio.json.array")
    lu.assertEquals({ h:has "eMPTY", h:has "none" }, { true, false })
    lu.assertStrMatches(tostring(h), "Headers %(5%): .*")
  end
end

function T.test_received_headers_cannot_be_changed()
  local h = received()
  lu.assertErrorMsgContains("http.Headers(h)", function() h.a = "b" end)
  lu.assertErrorMsgContains("Headers", h.get, {}, "a")
end

function T.test_no_headers()
  local p = hc.parser "request"
  p:feed "GET / HTTP/1.0\r\n\r\n"
  local h = p:head()
  lu.assertEquals({ #h, flat(h), h:get_all "a" }, { 0, {}, {} })
  lu.assertNil(h.a)
end

function T.test_made_of_what()
  lu.assertEquals(flat(http.Headers { b = "1", A = { "2", 3 } }), { "A", "2", "A", "3", "b", "1" })
  lu.assertEquals(flat(http.Headers { { "b", "1" }, { "a", 2 }, { "B", "3" } }),
    { "b", "1", "a", "2", "B", "3" })
  lu.assertEquals(flat(http.Headers {}), {})
end

function T.test_changing()
  local h = made()
  h["X-ONE"] = "only"
  h.empty = nil
  h["x-long"] = { "a", "b" }
  h.absent = nil
  lu.assertEquals(flat(h), { "Host", "here", "X-ONE", "only", "x-long", "a", "x-long", "b" })
  h.host = {}
  lu.assertIsFalse(h:has "host")
end

local BAD = {
  { "", "v", "no token" }, { "a b", "v", "no token" }, { "a:", "v", "no token" },
  { "a\n", "v", "no token" }, { "a\0", "v", "no token" }, { "\u{e4}", "v", "no token" },
  { "a", "b\r\nc: d", "control character" }, { "a", "b\n", "control character" },
  { "a", "\0", "control character" }, { "a", "\x7f", "control character" },
  { "a", true, "no string and no number" },
}

function T.test_what_cannot_be_sent_is_refused_at_the_callers_line()
  for _, case in ipairs(BAD) do
    local name, value, why = table.unpack(case)
    local h = http.Headers { kept = "1" }
    local ok, err = pcall(function() h:add(name, value) end)
    lu.assertIsFalse(ok)
    lu.assertStrContains(err, why)
    lu.assertStrContains(err, "test_http_headers.lua")
    lu.assertErrorMsgContains(why, function() h[name] = value end)
    lu.assertErrorMsgContains(why, function() http.Headers { { name, value } } end)
    lu.assertErrorMsgContains(why, function() http.Headers { [name] = value } end)
    lu.assertErrorMsgContains(why, hc.response_head, 200, nil, { name, value }, nil, 0, 1)
    lu.assertErrorMsgContains(why, hc.request_head, "GET", "/", "a", { name, value }, nil, nil, 1)
    lu.assertEquals(flat(h), { "kept", "1" })
  end
  lu.assertErrorMsgContains("table of headers", http.Headers, "a")
  lu.assertErrorMsgContains("{name, value}", http.Headers, { "a" })
  lu.assertErrorMsgContains("name of a header", function() http.Headers { [true] = 1 } end)
end

-- ---- heads to be sent ----

local DATE = "Date: %a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT\r\n"

local function parts(head)
  local first, rest = head:match "^([^\r]*)\r\n(.*)$"
  return first, (rest:gsub(DATE, "", 1))
end

function T.test_response_heads()
  local head = hc.response_head(200, nil, { "X", "1" }, "text/plain", 5, hc.KEEP_ALIVE)
  lu.assertStrMatches(head, "HTTP/1.1 200 OK\r\nX: 1\r\n" .. DATE
    .. "Server: aio\r\nContent%-Type: text/plain\r\nContent%-Length: 5\r\n\r\n")
  local today = os.date("!%a, %d %b %Y")
  lu.assertEvalToTrue(head:find(today, 1, true) or head:find(os.date("!%a, %d %b %Y"), 1, true))
  local first, rest = parts(hc.response_head(404, nil, nil, nil, -1, 0))
  lu.assertEquals({ first, rest }, { "HTTP/1.1 404 Not Found",
    "Server: aio\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" })
  first, rest = parts(hc.response_head(299, "My words", { "connection", "x", "SERVER", "me" }, nil,
    nil, hc.KEEP_ALIVE | hc.HTTP10))
  lu.assertEquals({ first, rest }, { "HTTP/1.1 299 My words",
    "connection: x\r\nSERVER: me\r\n\r\n" })
  first, rest = parts(hc.response_head(299, nil, { "Date", "now" }, "a/b", 0,
    hc.KEEP_ALIVE | hc.HTTP10))
  lu.assertEquals({ first, rest }, { "HTTP/1.1 299 ", "Date: now\r\nServer: aio\r\n"
    .. "Content-Type: a/b\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n" })
end

function T.test_request_heads()
  lu.assertEquals(hc.request_head("GET", "/a?b", "here:81", nil, nil, nil, hc.KEEP_ALIVE),
    "GET /a?b HTTP/1.1\r\nHost: here:81\r\n\r\n")
  lu.assertEquals(hc.request_head("PUT", "*", nil, received(), "a/b", 7, 0), "PUT * HTTP/1.1\r\n"
    .. "Host: here\r\nX-One: 1\r\nx-one: 2\r\nEmpty: \r\nX-Long: " .. ("v"):rep(300) .. "\r\n"
    .. "Content-Type: a/b\r\nContent-Length: 7\r\nConnection: close\r\n\r\n")
end

function T.test_headers_of_every_shape_and_size()
  local h = http.Headers()
  for i = 1, 300 do h:add("N" .. i, ("x"):rep(i)) end
  local head = hc.response_head(200, nil, h, nil, 0, 1)
  local p = hc.parser("response", { fields = 400 })
  p:feed(head)
  lu.assertEquals(#(p:head()), 303)
  lu.assertStrContains(head, "N300: " .. ("x"):rep(300) .. "\r\n")
  h["Content-Type"] = "mine/own"
  lu.assertNil(hc.response_head(200, nil, h, "a/b", 0, 1):find "a/b")
end

function T.test_heads_that_are_refused()
  local cases = {
    { "status", hc.response_head, 99 }, { "status", hc.response_head, 1000 },
    { "control", hc.response_head, 200, "a\nb" },
    { "control", hc.response_head, 200, nil, nil, "a\nb", 0 },
    { "length", hc.response_head, 200, nil, nil, nil, -2 },
    { "length", hc.response_head, 200, nil, { "content-LENGTH", "5" }, nil, 0 },
    { "length", hc.request_head, "GET", "/", "a", { "Transfer-Encoding", "x" }, nil, -1 },
    { "token", hc.request_head, "GE T", "/", "a" }, { "token", hc.request_head, "", "/", "a" },
    { "target", hc.request_head, "GET", "", "a" }, { "target", hc.request_head, "GET", "/ ", "a" },
    { "target", hc.request_head, "GET", "/\n", "a" },
    { "target", hc.request_head, "GET", "/\u{e4}", "a" },
    { "host", hc.request_head, "GET", "/", "a\r\nb" }, { "host", hc.request_head, "GET", "/", "" },
    { "twice", hc.request_head, "GET", "/", "a", { "HOST", "b" } },
    { "headers", hc.response_head, 200, nil, "text" },
    { "no number", hc.response_head, 200, nil, { "a", true } },
    { "no number", hc.response_head, 200, nil, { "a" } },
    { "names and values", hc.response_head, 200, nil, { 1, "a" } },
  }
  for _, case in ipairs(cases) do
    lu.assertErrorMsgContains(case[1], case[2], table.unpack(case, 3, 10))
  end
  lu.assertErrorMsgContains("\\x0d\\x0a", hc.request_head, "GET", "/", "a\r\nb")
end

function T.test_reasons()
  lu.assertEquals({ hc.reason(200), hc.reason(404), hc.reason(299) }, { "OK", "Not Found", "" })
end

return T
