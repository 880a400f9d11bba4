-- SPDX-License-Identifier: MIT
-- What hostile servers send to an HTTP client, and what its own user must not send: each case shows
-- the refusal, and that the next good request is served.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

-- A server that answers "/bad..." with what `answer` returns, and the rest well.
local function case(name, answer, fn, opts)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(function(head, body, conn, i)
      if head.target:find "^/bad" then return answer(head, body, conn, i) end
      return response "good"
    end)
    local session <close> = http.ClientSession(opts)
    session:get(server.url) -- so that there is a connection to be spoilt
    fn(session, server.url .. "/bad", server)
    lu.assertEquals(session:get(server.url):read(), "good")
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end)
end

-- ---- malformed answers ----

local HEADS = {
  { "no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n\r\n" },
  { "HTTP/0.9", "<html>hello</html>\r\n\r\n" },
  { "a version that is none", "HTTP/1.x 200 OK\r\n\r\n" },
  { "a version to come", "HTTP/3.0 200 OK\r\n\r\n" },
  { "a status of two digits", "HTTP/1.1 20 OK\r\n\r\n" },
  { "a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n" },
  { "a status with a sign", "HTTP/1.1 +20 OK\r\n\r\n" },
  { "a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n" },
  { "a bare CR", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n" },
  { "a NUL in a reason", "HTTP/1.1 200 O\0K\r\n\r\n" },
  { "a NUL in a value", "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n" },
  { "a control in a name", "HTTP/1.1 200 OK\r\nA\1B: c\r\n\r\n" },
  { "an empty name", "HTTP/1.1 200 OK\r\n: c\r\n\r\n" },
  { "a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n" },
  { "a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n" },
  { "no colon", "HTTP/1.1 200 OK\r\nAbc\r\n\r\n" },
  { "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody" },
  { "a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nbody" },
  { "a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody" },
  { "a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody" },
  { "a hexadecimal length", "HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nbody" },
  { "a huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nbody" },
  { "a length that is empty", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nbody" },
  { "length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    .. "\r\n0\r\n\r\n" },
  { "chunks that are not last", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n" },
  { "an unknown transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n" },
  { "chunks twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" },
  { "a change of protocol unasked", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade"
    .. "\r\n\r\n" },
  { "fields without end", "HTTP/1.1 200 OK\r\n" .. ("A: b\r\n"):rep(200) .. "\r\n" },
  { "a field without end", "HTTP/1.1 200 OK\r\nA: " .. ("x"):rep(100000) .. "\r\n\r\n" },
  { "a reason without end", "HTTP/1.1 200 " .. ("x"):rep(100000) .. "\r\n\r\n" },
}

for _, pair in ipairs(HEADS) do
  case("malformed_" .. pair[1]:gsub("%W", "_"), function(_, _, conn)
    conn:write(pair[2])
    conn:write_eof()
    conn:read "a"
  end, function(session, url)
    local err = raised(http.BadResponse, session.get, session, url)
    lu.assertTrue(#err.message < 400, err.message)
    lu.assertNil(err.message:find "[%z\1-\31\127-\255]")
  end)
end

-- All heads that the parser's tests know.
local all = { responses = http.BadResponse, chunked = http.ClientPayloadError }

for kind, class in pairs(all) do
  T["test_all_malformed_" .. kind] = raw.case(function()
    local bytes
    local server <close> = raw.serve(function(conn)
      raw.head(conn)
      if kind == "chunked" then
        conn:write "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      end
      conn:write(bytes)
      conn:write_eof()
      conn:read "a"
    end)
    local session <close> = http.ClientSession()
    for _, one in ipairs(require("support.http_bad")[kind]) do
      bytes = one[1]
      raised(class, function() return session:get(server.url):read() end)
      lu.assertStrContains(tostring(session.connector), "0 in use, 0 idle")
    end
  end)
end

case("interim_answers_without_end", function()
  return ("HTTP/1.1 100 Continue\r\n\r\n"):rep(500)
end, function(session, url) raised(http.BadResponse, session.get, session, url) end)

local CHUNKS = {
  { "no size", "\r\nabc\r\n0\r\n\r\n" },
  { "a size with a sign", "+3\r\nabc\r\n0\r\n\r\n" },
  { "a size with 0x", "0x3\r\nabc\r\n0\r\n\r\n" },
  { "a size that is huge", "ffffffffffffffffff\r\nabc\r\n" },
  { "a size with a blank", "3 \r\nabc\r\n0\r\n\r\n" },
  { "more than announced", "3\r\nabcd\r\n0\r\n\r\n" },
  { "a bare LF", "3\nabc\n0\n\n" },
  { "an extension without end", "3;" .. ("x"):rep(100000) },
  { "trailers without end", "0\r\n" .. ("A: b\r\n"):rep(100000) },
  { "an end before the last", "3\r\nabc\r\n" },
  { "an end inside", "5\r\nab" },
}

for _, pair in ipairs(CHUNKS) do
  case("chunks_with_" .. pair[1]:gsub("%W", "_"), function(_, _, conn)
    conn:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", pair[2])
    conn:write_eof()
    conn:read "a"
  end, function(session, url)
    local res = session:get(url)
    raised(http.ClientPayloadError, res.read, res)
    raised(http.ClientPayloadError, res.read, res) -- again
  end)
end

case("a_body_that_is_cut_short", function(_, _, conn)
  conn:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
end, function(session, url)
  local res = session:get(url)
  local err = raised(http.ClientPayloadError, res.read, res)
  lu.assertStrContains(err.message, "7 bytes are missing")
end)

case("a_connection_that_breaks_in_the_head", function(_, _, conn)
  conn:write "HTTP/1.1 200 OK\r\nConte"
end, function(session, url) raised(http.ServerDisconnectedError, session.get, session, url) end)

case("a_hundred_thousand_chunks_of_a_byte", function()
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. ("1\r\nx\r\n"):rep(100000)
    .. "0\r\n\r\n"
end, function(session, url) lu.assertEquals(#session:get(url):read(), 100000) end)

case("a_body_longer_than_the_limit", function(head)
  if head.target == "/bad/chunked" then
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. ("400\r\n" .. ("x"):rep(1024)
      .. "\r\n"):rep(20) .. "0\r\n\r\n"
  end
  return response(("x"):rep(20000))
end, function(session, url)
  for _, target in ipairs { url, url .. "/chunked" } do
    local res = session:get(target)
    lu.assertStrContains(raised(http.ClientPayloadError, res.read, res).message, "limits = { body")
  end
end, { limits = { body = 10000 } })

-- ---- bombs ----

local BOMB = 20 * 1024 * 1024

-- The coding of so many zeros, made in pieces.
local function bomb(name)
  local encoder = require("aio.http.coding").encoder(name)
  local parts, zeros = {}, ("\0"):rep(1024 * 1024)
  for i = 1, BOMB // #zeros do parts[i] = encoder:write(zeros) end
  parts[#parts + 1] = encoder:finish()
  return table.concat(parts)
end

case("zip_bombs", function(head)
  local name = head.target:match "^/bad/(.*)$"
  return response(bomb(name), ("Content-Encoding: %s\r\n"):format(name))
end, function(session, url)
  for _, name in ipairs(require("aio.http.coding").codings()) do
    local before = collectgarbage "count"
    local res = session:get(url .. "/" .. name)
    raised(http.ClientPayloadError, res.read, res)
    collectgarbage()
    lu.assertTrue(collectgarbage "count" - before < 20 * 1024, name)
  end
end)

case("more_than_is_read_at_once", function()
  local encoder = require("aio.http.coding").encoder "gzip"
  local text = {}
  for i = 1, 20000 do text[i] = ("%x "):format(i * 2654435761 % 1000003) end
  return response(encoder:finish(table.concat(text)), "Content-Encoding: gzip\r\n")
end, function(session, url)
  local res = session:get(url)
  lu.assertStrContains(raised(http.ClientPayloadError, res.read, res).message, "limits = { decoded")
  local n = 0
  for chunk in session:get(url):chunks() do n = n + #chunk end -- as a stream it has no end
  lu.assertTrue(n > 100000)
end, { limits = { decoded = 50000 } })

for name, data in pairs {
  what_is_none = "no gzip at all", what_ends_early = "\x1f\x8b\8\0\0\0\0\0\0\3",
} do
  case("gzip_" .. name, function() return response(data, "Content-Encoding: gzip\r\n") end,
    function(session, url)
      local res = session:get(url)
      local err = raised(http.ClientPayloadError, res.read, res)
      lu.assertStrContains(err.message, "cannot be decoded")
    end)
end

case("a_coding_that_nobody_knows", function()
  return response("x", "Content-Encoding: pack200\r\n")
end, function(session, url)
  local res = session:get(url)
  lu.assertStrContains(raised(http.ClientPayloadError, res.read, res).message, "not known")
end)

case("codings_in_each_other", function()
  return response("x", "Content-Encoding: gzip, gzip, gzip\r\n")
end, function(session, url)
  local res = session:get(url)
  raised(http.ClientPayloadError, res.read, res)
end)

case("heads_longer_than_the_limit", function() return response("", ("A: b\r\n"):rep(11)) end,
  function(session, url) raised(http.BadResponse, session.get, session, url) end,
  { limits = { fields = 10 } })

-- ---- slow servers ----

case("a_slow_head", function(_, _, conn)
  for byte in ("HTTP/1.1 200 OK\r\nX: " .. ("y"):rep(1000)):gmatch "." do
    conn:write(byte)
    if not pcall(aio.timeout, 1, conn.read, conn, 1) and conn:is_closing() then return end
  end
end, function(session, url)
  raised(http.ServerTimeoutError, session.get, session, url, { timeout = 10 })
end)

case("silence", function(_, _, conn) conn:read(1) end, function(session, url)
  local err = raised(http.SocketTimeoutError, session.get, session, url,
    { timeout = http.Timeout { sock_read = 5 } })
  lu.assertTrue(aio.is(err, aio.TimeoutError))
  lu.assertEquals(err.limit, "sock_read")
  err = raised(http.ServerTimeoutError, session.get, session, url)
  lu.assertStrContains(err.message, "300 s (total)")
end)

case("silence_in_the_body", function(_, _, conn)
  conn:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
  conn:read(1)
end, function(session, url)
  local res = session:get(url, { timeout = http.Timeout { sock_read = 5 } })
  raised(http.SocketTimeoutError, res.read, res)
  res = session:get(url, { timeout = 7 })
  raised(http.ServerTimeoutError, res.read, res)
end)

case("a_read_that_is_cancelled_loses_nothing", function(_, _, conn)
  conn:write "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"
  aio.catch(aio.TimeoutError, aio.timeout, 10, conn.read, conn, 1)
  return "56789"
end, function(session, url)
  local res = session:get(url)
  local content = res.content
  raised(aio.TimeoutError, aio.timeout, 3, content.read, content, "a")
  lu.assertEquals(res:read(), "0123456789")
  res = session:get(url)
  raised(aio.TimeoutError, aio.timeout, 3, res.read, res) -- nobody would get its part
  lu.assertStrContains(tostring(session.connector), "0 in use")
  raised(http.ClientConnectionError, res.read, res)
end)

-- ---- answers that nobody reads ----

T.test_an_answer_that_is_forgotten = raw.case(function()
  local server <close> = raw.answering(function() return response(("x"):rep(1000000)) end)
  local connector <close> = http.Connector { limit = 1 }
  local session <close> = http.ClientSession { connector = connector }
  local reports = {}
  aio.get_running_loop():set_exception_handler(function(_, ctx)
    reports[#reports + 1] = ctx.kind
  end)
  for _ = 1, 3 do
    (function() session:get(server.url) end)()
    collectgarbage()
    collectgarbage()
    aio.sleep(0)
  end
  lu.assertEquals(reports, { "unclosed", "unclosed", "unclosed" })
  lu.assertStrContains(tostring(connector), "0 in use")
end)

-- ---- what the user must not send ----

T.test_what_would_smuggle_is_refused = raw.case(function()
  local seen = {}
  local server <close> = raw.answering(function(head)
    seen[#seen + 1] = head.target
    return response "ok"
  end)
  local session <close> = http.ClientSession()
  local function refused(text, method, url, opts)
    local ok, err = pcall(session.request, session, method, url, opts)
    lu.assertFalse(ok, text)
    lu.assertStrContains(tostring(err), text)
  end
  local url = server.url
  for _, method in ipairs { "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "G ET", "", "G\0T", "GÉT" } do
    refused("a method that is no token", method, url)
  end
  for _, value in ipairs { "a\r\nX: y", "a\nb", "a\rb", "a\0b" } do
    refused("control character", "GET", url, { headers = { A = value } })
    refused("cookie 'k'", "GET", url, { cookies = { k = value } })
  end
  for _, name in ipairs { "A\r\nB", "A B", "", "A:", "Ä" } do
    refused("no token", "GET", url, { headers = { [name] = "x" } })
  end
  refused("cookie 'a b'", "GET", url, { cookies = { ["a b"] = "x" } })
  refused("cookie 'k'", "GET", url, { cookies = { k = "x; other=1" } })
  refused("Transfer-Encoding is", "POST", url, { headers = { ["Transfer-Encoding"] = "chunked" } })
  refused("Content-Length: the body has 1 bytes", "POST", url, { data = "x",
    headers = { ["Content-Length"] = "2" } })
  refused("Host is given twice", "GET", url, { headers = { { "Host", "a" }, { "host", "b" } } })
  refused("control", "GET", url, { data = "x", headers = { ["Content-Type"] = "a\r\nb" } })
  lu.assertEquals(seen, {})
  -- in a URL they are encoded, or removed as browsers do
  session:get(url .. "/a\r\nX: y b\0c")
  lu.assertNil(seen[1]:find "[%c ]")
  lu.assertEquals(#seen, 1)
end)

return T
