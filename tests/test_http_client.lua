-- SPDX-License-Identifier: MIT
-- The HTTP client: what a request looks like, and what becomes of the answer.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

-- A case with a server that answers with what `answer` returns, and a session.
local function case(name, answer, fn, opts)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(answer)
    local session <close> = http.ClientSession(opts)
    fn(session, server.url, server)
  end)
end

-- A server that tells in its body how the request looked.
local function echo(head, body) return response(head.text .. body) end

-- ---- the request ----

case("a_request_as_it_is_sent", echo, function(session, url)
  local res = session:get(url .. "/a%20b?q=1#part")
  lu.assertEquals(res.status, 200)
  lu.assertEquals(res.reason, "OK")
  lu.assertTrue(res.ok)
  lu.assertEquals(res.method, "GET")
  lu.assertEquals(res.version, "1.1")
  local text = res:text()
  lu.assertStrContains(text, "GET /a%20b?q=1 HTTP/1.1\r\n")
  lu.assertStrContains(text, "\r\nHost: " .. url:sub(8) .. "\r\n")
  lu.assertStrContains(text, "\r\nAccept: */*\r\n")
  lu.assertStrContains(text, "\r\nUser-Agent: aio")
  lu.assertNil(text:lower():find("content-length", 1, true))
  lu.assertNil(text:lower():find("connection:", 1, true))
  lu.assertEquals(tostring(res.url), url .. "/a%20b?q=1#part")
  lu.assertEquals(res:read(), text) -- again
end)

case("a_method_for_each_verb", echo, function(session, url)
  for _, verb in ipairs { "get", "post", "put", "patch", "delete", "options" } do
    local text = session[verb](session, url):text()
    lu.assertEquals(text:match "^%u+", verb:upper())
  end
  lu.assertEquals(session:request("propfind", url):text():match "^%u+", "PROPFIND")
  lu.assertEquals(session:head(url):read(), "")
end)

case("a_post_without_a_body_says_so", echo, function(session, url)
  lu.assertStrContains(session:post(url):text(), "\r\nContent-Length: 0\r\n")
end)

case("params", echo, function(session, url)
  local function line(params) return session:get(url .. "/x?a=1", { params = params }):text():match
    "^%S+ (%S+)" end
  lu.assertEquals(line { q = "a b&c", n = 5 }, "/x?a=1&n=5&q=a+b%26c")
  lu.assertEquals(line { { "k", "2" }, { "k", "1" } }, "/x?a=1&k=2&k=1")
  lu.assertEquals(line { k = { 1, 2 } }, "/x?a=1&k=1&k=2")
  lu.assertEquals(line "raw=%20", "/x?a=1&raw=%20")
end)

case("headers", echo, function(session, url)
  local text = session:get(url, { headers = { ["X-One"] = "1", ["x-two"] = { "a", "b" },
    ["user-agent"] = "mine", Accept = false } }):text()
  lu.assertStrContains(text, "\r\nX-One: 1\r\n")
  lu.assertStrContains(text, "\r\nx-two: a\r\nx-two: b\r\n")
  lu.assertStrContains(text, "\r\nuser-agent: mine\r\n")
  lu.assertNil(text:find("aio/", 1, true))
  lu.assertNil(text:find("\r\nAccept:", 1, true))
  text = session:get(url, { headers = { { "B", "1" }, { "A", "2" } } }):text()
  lu.assertStrContains(text, "\r\nB: 1\r\nA: 2\r\n")
  text = session:get(url, { headers = http.Headers { Host = "other.test" } }):text()
  lu.assertStrContains(text, "\r\nHost: other.test\r\n")
  lu.assertNil(text:find("127.0.0.1", 1, true))
end)

case("a_session_has_headers_a_base_and_credentials", echo, function(session, url)
  local own <close> = http.ClientSession { base_url = url .. "/api/", headers = { ["X-Key"] = "k" },
    auth = http.basic_auth("Aladdin", "open sesame"), connector = session.connector,
    connector_owner = false }
  local text = own:get("items?x=1"):text()
  lu.assertStrContains(text, "GET /api/items?x=1 ")
  lu.assertStrContains(text, "\r\nX-Key: k\r\n")
  lu.assertStrContains(text, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")
  lu.assertStrContains(own:get("/top"):text(), "GET /top ")
  text = own:get("", { headers = { ["X-Key"] = "other", Authorization = "Bearer t" } }):text()
  lu.assertStrContains(text, "\r\nX-Key: other\r\n")
  lu.assertStrContains(text, "\r\nAuthorization: Bearer t\r\n")
  lu.assertNil(text:find("Basic", 1, true))
  lu.assertStrContains(tostring(own), "/api/")
end)

case("credentials_in_the_url", echo, function(session, url)
  local text = session:get((url:gsub("//", "//us%%65r:p%%40ss@"))):text()
  lu.assertStrContains(text, "\r\nAuthorization: Basic dXNlcjpwQHNz\r\n")
  lu.assertNil(text:find("@", 1, true))
end)

case("cookies_of_the_user", echo, function(session, url)
  local own <close> = http.ClientSession { cookies = { s = "1" } }
  lu.assertStrContains(own:get(url, { cookies = { r = "2" } }):text(), "\r\nCookie: ")
  lu.assertNil(session:get(url):text():find("Cookie", 1, true))
end)

case("cookies_of_the_user_in_the_order_of_their_names", echo, function(session, url)
  local many, parts = {}, {}
  for i = 10, 40 do many["c" .. i], parts[#parts + 1] = i, ("c%d=%d"):format(i, i) end
  lu.assertStrContains(session:get(url, { cookies = many }):text(),
    "\r\nCookie: " .. table.concat(parts, "; ") .. "\r\n")
end)

case("cookies_of_the_server", function(head)
  return response(head.cookie or "none", "Set-Cookie: a=1\r\nSet-Cookie: b=2; HttpOnly\r\n")
end, function(_, url)
  local session <close> = http.ClientSession { cookie_jar = http.CookieJar { unsafe = true } }
  local res = session:get(url)
  lu.assertEquals(res.cookies, { a = "1", b = "2" })
  lu.assertEquals(res:text(), "none")
  lu.assertEquals(session:get(url):text(), "a=1; b=2")
  lu.assertEquals(session:get(url, { cookies = { a = "3" } }):text(), "b=2; a=3")
  lu.assertEquals(#session.cookie_jar, 2)
end)

case("no_cookies_of_an_address", function(head)
  return response(head.cookie or "none", "Set-Cookie: a=1\r\n")
end, function(session, url)
  session:get(url)
  lu.assertEquals(session:get(url):text(), "none")
end)

-- ---- the answer ----

case("fields_of_the_answer", function()
  return response("{}", "Content-Type: Text/HTML; charset=\"ISO-8859-1\"\r\nX-A: 1\r\nx-a: 2\r\n"
    .. "Link: </next>; rel=\"next\", <https://other.test/>; rel=up\r\n", "404 Nothing Here")
end, function(session, url)
  local res = session:get(url .. "/a")
  lu.assertEquals(res.status, 404)
  lu.assertEquals(res.reason, "Nothing Here")
  lu.assertFalse(res.ok)
  lu.assertEquals(res.headers["x-A"], "1")
  lu.assertEquals(res.headers:get_all "X-a", { "1", "2" })
  lu.assertEquals(res.content_type, "text/html")
  lu.assertEquals(res.charset, "iso-8859-1")
  lu.assertEquals(tostring(res.links.next.url), url .. "/next")
  lu.assertEquals(tostring(res.links.up.url), "https://other.test/")
  lu.assertEquals(res.history, {})
  lu.assertStrContains(tostring(res), "404 Nothing Here")
  local err = raised(http.ClientResponseError, res.raise_for_status, res)
  lu.assertEquals(err.status, 404)
  lu.assertEquals(err.headers["x-a"], "1")
end)

case("raise_for_status", function(head)
  return response("", "", head.target == "/ok" and "200 OK" or "503 Busy")
end, function(session, url)
  lu.assertEquals(session:get(url .. "/ok", { raise_for_status = true }).status, 200)
  raised(http.ClientResponseError, session.get, session, url, { raise_for_status = true })
  local seen
  local own <close> = http.ClientSession { raise_for_status = function(res) seen = res.status end }
  lu.assertEquals(own:get(url).status, 503)
  lu.assertEquals(seen, 503)
  lu.assertEquals(own:get(url, { raise_for_status = false }).status, 503)
end)

case("text_in_other_charsets", function(head)
  local charset = head.target:sub(2)
  return response("gr\xFC\xDF \x80", "Content-Type: text/plain; charset=" .. charset .. "\r\n")
end, function(session, url)
  lu.assertEquals(session:get(url .. "/latin1"):text(), "grüß \u{80}")
  lu.assertEquals(session:get(url .. "/windows-1252"):text(), "grüß €")
  lu.assertEquals(session:get(url .. "/utf-8"):text(), "gr\u{FFFD}\u{FFFD} \u{FFFD}")
  lu.assertEquals(session:get(url .. "/ascii"):text(), "gr\u{FFFD}\u{FFFD} \u{FFFD}")
  lu.assertEquals(session:get(url .. "/utf-8"):text "windows-1252", "grüß €")
  local res = session:get(url .. "/klingon")
  local err = raised(http.ContentTypeError, res.text, res) -- the server's fault, not the caller's
  lu.assertStrContains(tostring(err), "in the charset 'klingon', which is not known")
  lu.assertEquals({ err.status, res:text "latin1" }, { 200, "grüß \u{80}" })
  lu.assertErrorMsgContains("charset 'vulcan' is not known", res.text, res, "vulcan")
end)

case("the_length_that_the_server_says", function(head)
  if head.target == "/chunked" then
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
  end
  return response "12345"
end, function(session, url)
  lu.assertEquals(session:get(url).content_length, 5)
  local res <close> = session:get(url .. "/chunked")
  lu.assertNil(res.content_length)
end)

case("utf_16", function(head)
  local data = head.target == "/be" and "\xFE\xFF\xD8\x3D\xDE\x00\0A" or "\x3D\xD8\0\xDEA\0\0\xDC"
  return response(data, "Content-Type: text/plain; charset=utf-16\r\n")
end, function(session, url)
  lu.assertEquals(session:get(url .. "/be"):text(), "😀A")
  lu.assertEquals(session:get(url .. "/le"):text "utf-16le", "😀A\u{FFFD}")
end)

-- ---- bodies of the answer ----

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

case("a_body_in_chunks", function(head, _, conn)
  if head.target == "/one" then
    return CHUNKED .. "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: r\r\n\r\n"
  end
  for byte in (CHUNKED .. "5\r\nhello\r\n0\r\n\r\n"):gmatch "." do
    conn:write(byte)
    aio.sleep(0)
  end
  return ""
end, function(session, url, server)
  lu.assertEquals(session:get(url .. "/one"):read(), "hello world")
  lu.assertEquals(session:get(url .. "/slow"):read(), "hello")
  lu.assertEquals(server.connections, 1)
end)

case("a_body_up_to_the_end_of_the_connection", function(_, _, conn)
  conn:write("HTTP/1.1 200 OK\r\n\r\nall of it")
end, function(session, url, server)
  lu.assertEquals(session:get(url):read(), "all of it")
  lu.assertEquals(session:get(url):read(), "all of it")
  lu.assertEquals(server.connections, 2)
end)

case("no_body", function(head)
  if head.method == "HEAD" then return "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" end
  if head.target == "/304" then return "HTTP/1.1 304 X\r\nContent-Length: 7\r\n\r\n" end
  return "HTTP/1.1 204 X\r\n\r\n"
end, function(session, url, server)
  local res = session:head(url)
  lu.assertEquals(res.headers["content-length"], "1000")
  lu.assertEquals(res:read(), "")
  lu.assertEquals(session:get(url .. "/304"):read(), "")
  lu.assertEquals(session:get(url .. "/204"):read(), "")
  lu.assertEquals(server.connections, 1)
end)

case("interim_answers_are_skipped", function()
  return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    .. response "done"
end, function(session, url)
  lu.assertEquals(session:get(url):read(), "done")
end)

local LONG = ("0123456789abcdef"):rep(20000)

case("a_long_body_in_pieces", function(head)
  if head.target == "/lines" then return response("a\r\nb\n\nlast") end
  return response(LONG)
end, function(session, url, server)
  lu.assertTrue(session:get(url):read() == LONG)
  local n, parts = 0, {}
  for chunk in session:get(url):chunks(1000) do
    lu.assertTrue(#chunk <= 1000)
    n, parts[#parts + 1] = n + 1, chunk
  end
  lu.assertTrue(table.concat(parts) == LONG)
  lu.assertTrue(n >= #LONG / 1000)
  local lines = {}
  for line in session:get(url .. "/lines"):lines() do lines[#lines + 1] = line end
  lu.assertEquals(#lines, 4)
  local content = session:get(url).content
  lu.assertEquals(content:readexactly(18), "0123456789abcdef01")
  lu.assertEquals(#content:read("a"), #LONG - 18)
  lu.assertEquals(server.connections, 1)
end)

case("an_answer_that_is_not_read_closes_its_connection", function() return response(LONG) end,
  function(session, url, server)
    session:get(url):release()
    local res = session:get(url)
    res:close()
    raised(http.ClientConnectionError, res.read, res)
    do
      local third <close> = session:get(url)
      lu.assertEquals(#third.content:read(10), 10)
    end
    lu.assertEquals(#session:get(url):read(), #LONG)
    lu.assertEquals(server.connections, 4)
  end)

case("one_request_without_a_session", echo, function(_, url)
  lu.assertStrContains(http.get(url .. "/x", { params = { a = 1 } }):text(), "GET /x?a=1 ")
  lu.assertStrContains(http.post(url, { data = "body" }):text(), "body")
  for _, verb in ipairs { "put", "patch", "delete", "options" } do
    lu.assertEquals(http[verb](url):text():match "^%u+", verb:upper())
  end
  lu.assertEquals(http.head(url).status, 200)
  lu.assertEquals(http.request("get", url).status, 200)
  raised(http.InvalidURL, http.get, "nowhere")
end)

case("one_request_whose_body_is_read_later", function() return response(LONG) end,
  function(_, url)
    lu.assertEquals(#http.get(url):read(), #LONG)
    local res <close> = http.get(url)
    lu.assertEquals(res.content:read(3), "012")
  end)

-- ---- several tasks ----

-- fn(session, url, server): the body, ten bytes, comes in two halves, a second apart.
local function halves(name, fn, opts)
  opts = opts or {}
  local body = opts.body or "0123456789"
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.serve(function(conn)
      while raw.head(conn) do
        conn:write(("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n"):format(opts.fields or "",
          #body), body:sub(1, #body // 2))
        aio.sleep(1)
        if opts.cut then return end
        conn:write(body:sub(#body // 2 + 1))
      end
    end)
    local session <close> = http.ClientSession()
    fn(session, server.url, server)
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end)
end

local function readers(res, n)
  local tasks = {}
  for i = 1, n do tasks[i] = aio.create_task(res.read, res) end
  aio.sleep(0.5)
  return tasks
end

halves("tasks_that_read_at_once_get_the_same", function(session, url, server)
  local res = session:get(url)
  for _, task in ipairs(readers(res, 3)) do lu.assertEquals(task:await(), "0123456789") end
  lu.assertEquals(res:text(), "0123456789")
  lu.assertEquals(session:get(url):read(), "0123456789")
  lu.assertEquals(server.connections, 1)
end)

-- The next goes on where one was cancelled.
local function one_is_cancelled(session, url)
  for i = 1, 3 do
    local res = session:get(url)
    local tasks = readers(res, 3)
    tasks[i]:cancel()
    for k, task in ipairs(tasks) do
      if k ~= i then lu.assertEquals(task:await(), "0123456789") end
    end
    lu.assertTrue(tasks[i]:cancelled())
    lu.assertEquals(res:read(), "0123456789")
  end
end

halves("tasks_that_read_at_once_of_which_one_is_cancelled", one_is_cancelled)

if require("aio.optional").has "zlib" then
  halves("tasks_that_read_at_once_what_was_compressed", one_is_cancelled, {
    body = require("aio.http.coding").encoder("gzip"):finish "0123456789",
    fields = "Content-Encoding: gzip\r\n",
  })
end

halves("tasks_that_read_at_once_and_are_cancelled", function(session, url)
  local res = session:get(url)
  local tasks = readers(res, 3)
  for _, task in ipairs(tasks) do task:cancel() end
  aio.wait(tasks)
  for _, task in ipairs(tasks) do lu.assertTrue(task:cancelled()) end
  lu.assertStrContains(tostring(session.connector), "0 in use")
  raised(http.ClientConnectionError, res.read, res)
  aio.sleep(1) -- for the server
end)

halves("tasks_that_read_at_once_what_is_cut_short", function(session, url)
  local res = session:get(url)
  for _, task in ipairs(readers(res, 2)) do raised(http.ClientPayloadError, task.await, task) end
end, { cut = true })

-- ---- errors ----

-- Each class, and those right above it.
local TREE = {
  { "ClientError" }, { "ClientResponseError", "ClientError" },
  { "ContentTypeError", "ClientResponseError" },
  { "WSServerHandshakeError", "ClientResponseError" },
  { "ClientHttpProxyError", "ClientResponseError" }, { "TooManyRedirects", "ClientResponseError" },
  { "BadResponse", "ClientResponseError" }, { "ClientConnectionError", "ClientError" },
  { "ClientOSError", "ClientConnectionError" }, { "ClientConnectorError", "ClientOSError" },
  { "ClientConnectorDNSError", "ClientConnectorError" },
  { "ClientSSLError", "ClientConnectorError" }, { "ClientConnectorSSLError", "ClientSSLError" },
  { "ClientConnectorCertificateError", "ClientSSLError" },
  { "ClientProxyConnectionError", "ClientConnectorError" },
  { "UnixClientConnectorError", "ClientConnectorError" },
  { "ServerConnectionError", "ClientConnectionError" },
  { "ServerDisconnectedError", "ServerConnectionError" }, { "ClientPayloadError", "ClientError" },
  { "InvalidURL", "ClientError" }, { "NonHttpUrlClientError", "InvalidURL" },
  { "InvalidUrlRedirectClientError", "InvalidURL" },
  { "NonHttpUrlRedirectClientError", "InvalidUrlRedirectClientError" },
  { "ServerTimeoutError" }, { "ConnectionTimeoutError", "ServerTimeoutError" },
  { "SocketTimeoutError", "ServerTimeoutError" },
}

function T.test_the_tree_of_errors()
  for _, pair in ipairs(TREE) do
    local err = http[pair[1]]("why", { url = "u" })
    lu.assertEquals(tostring(err), pair[1] .. ": why")
    lu.assertEquals(err.url, "u")
    lu.assertTrue(aio.is(err, pair[2] and http[pair[2]] or aio.Error), pair[1])
    lu.assertEquals(aio.is(err, aio.TimeoutError), pair[1]:find "Timeout" ~= nil)
  end
end

-- ---- wrong use ----

case("wrong_arguments", echo, function(session, url)
  local function refused(text, ...)
    local ok, err = pcall(...)
    lu.assertFalse(ok, text)
    lu.assertStrContains(tostring(err), text)
  end
  local get = function(opts) return session:get(url, opts) end
  refused("unknown option 'parms'", get, { parms = {} })
  refused("option 'timeout': seconds", get, { timeout = "soon" })
  refused("total: a positive number", get, { timeout = -1 })
  refused("option 'auth': http.basic_auth", get, { auth = "user:password" })
  refused("options 'data' and 'json': only one", get, { data = "x", json = {} })
  refused("write form = {...}", get, { data = { a = 1 } })
  refused("option 'max_redirects'", get, { max_redirects = -1 })
  refused("verify = false", get, { ssl = false })
  refused("option 'params': 'a': string, number", get, { params = { a = print } })
  refused("option 'headers': 'A': string", get, { headers = { A = print } })
  refused("option 'cookies': table expected", get, { cookies = "a=b" })
  refused("option 'cookies': a map", get, { cookies = { a = true } })
  refused("option 'cookies': a map", get, { cookies = { "a=b" } })
  refused("option 'on_progress'", get, { on_progress = 1 })
  refused("option 'middlewares': item 1", get, { middlewares = { 1 } })
  refused("write a colon", session.get, url)
  refused("method expected", session.request, session, nil, url)
  refused("method expected", http.request, nil, url)
  refused("CONNECT is for the option 'proxy'", session.request, session, "connect", url)
  refused("URL (string or http.URL)", session.get, session, 5)
  refused("name of a user", http.basic_auth, "a:b")
  refused("unknown moment 'on_request_begin'", http.ClientSession,
    { trace = { on_request_begin = print } })
  refused("unknown limit 'lines'", http.ClientSession, { limits = { lines = 1 } })
  refused("option 'connector': http.Connector", http.ClientSession, { connector = {} })
  refused("option 'limit': a positive integer", http.Connector, { limit = -1 })
  refused("option 'resolver'", http.Connector, { resolver = 1 })
  session:close()
  refused("this session is closed", get)
  session:close()
end)

case("urls_that_are_none", echo, function(session)
  for _, url in ipairs { "", "/relative", "http://", "http://a b/", "http://[::1",
    "http://a:99999/" } do
    raised(http.InvalidURL, session.get, session, url)
  end
  for _, url in ipairs { "ftp://a.test/", "file:///etc/passwd", "javascript:alert(1)" } do
    raised(http.NonHttpUrlClientError, session.get, session, url)
  end
  local err = raised(http.InvalidURL, session.get, session, "http://user:secret@a b/")
  lu.assertNil(err.message:find("secret", 1, true))
end)

return T
