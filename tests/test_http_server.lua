-- SPDX-License-Identifier: MIT
-- The server over real sockets: routes, requests, responses, keep-alive, the ends of connections.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"
local testing = require "aio.http.testing"

local T = {}

local serve, get, once = support.serve, support.get, support.once
local serve_timed = support.serve_timed

function T.test_hello()
  serve(function(app)
    app:get("/hello/{name}", function(req) return "hello " .. req.match_info.name end)
  end, function(server)
    local res = once(server, get "/hello/Lua")
    lu.assertEquals({ res.status, res.reason, res.version, res.body }, { 200, "OK", "1.1",
      "hello Lua" })
    lu.assertEquals(res.headers["Content-Type"], "text/plain; charset=utf-8")
    lu.assertEquals(res.headers["Content-Length"], "9")
    lu.assertNotNil(res.headers["Date"])
    lu.assertNil(res.headers["Connection"])
  end)
end

-- A handler may ask for a body that there is not: the next request of the connection has its own.
function T.test_the_content_of_a_request_without_a_body()
  serve(function(app)
    app:route("*", "/", function(req) return req.content:read "a" .. "." end)
  end, function(server)
    local raw <close> = server:connect()
    for _ = 1, 2 do
      lu.assertEquals(raw:ask(get "/").body, ".")
      lu.assertEquals(raw:ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab").body,
        "ab.")
    end
  end)
end

function T.test_many_requests_over_one_connection_and_pipelined()
  serve(function(app)
    app:get("/{n}", function(req)
      if req.match_info.n == "1" then aio.sleep(0.01) end -- the others have to wait for it
      return req.match_info.n
    end)
  end, function(server)
    local raw <close> = server:connect()
    for n = 1, 3 do lu.assertEquals(raw:ask(get("/" .. n)).body, tostring(n)) end
    local all = {}
    for n = 1, 300 do all[n] = get("/" .. n) end
    raw:send(table.concat(all))
    for n = 1, 300 do lu.assertEquals(raw:response().body, tostring(n)) end
  end)
end

function T.test_one_byte_at_a_time()
  serve(function(app)
    app:post("/", function(req) return req:read() end)
  end, function(server)
    local raw <close> = server:connect()
    local text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    for i = 1, #text do
      raw:send(text:sub(i, i))
      aio.sleep(0)
    end
    lu.assertEquals(raw:response().body, "hello")
    text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    for i = 1, #text do
      raw:send(text:sub(i, i))
      aio.sleep(0)
    end
    lu.assertEquals(raw:response().body, "hello")
  end)
end

function T.test_what_a_request_tells()
  local seen
  serve(function(app)
    app.marker = "shared"
    app:post("/a b/{id}", function(req)
      seen = {
        req.method, req.path, req.raw_path, req.query_string, req.query.x, req.match_info.id,
        req.host, req.scheme, req.secure, req.version, req.remote, req.keep_alive, req.body_exists,
        req.content_type, req.charset, req.content_length, req.headers["X-One"], req.app.marker,
        req.route.path, req:read(), req.nothing, tostring(req),
      }
      req.mine = 1
      return tostring(req.mine)
    end)
  end, function(server)
    local res = once(server, "POST /a%20b/7?x=1&y HTTP/1.1\r\nHost: here:80\r\nX-One: two\r\n"
      .. "Content-Type: Text/Plain; charset=UTF-8\r\nContent-Length: 2\r\n\r\nhi")
    lu.assertEquals(res.body, "1")
    lu.assertEquals(seen, { "POST", "/a b/7", "/a%20b/7?x=1&y", "x=1&y", "1", "7", "here:80",
      "http", false, "1.1", "127.0.0.1", true, true, "text/plain", "utf-8", 2, "two", "shared",
      "/a b/{id}", "hi", nil, "Request: POST /a%20b/7" })
  end)
end

function T.test_queries_cookies_and_forms()
  local seen
  serve(function(app)
    app:post("/", function(req)
      local form = req:form()
      seen = {
        req.query.a, req.query:get_all "a", req.cookies.one, req.cookies.two, form.x,
        form:get_all "y", tostring(req.url), req:url_for "root",
      }
      return ""
    end, { name = "root" })
    app:post("/upload", function(req)
      local form = req:form()
      return form.file.filename .. " " .. form.text
    end)
  end, function(server)
    local more = "Cookie: one=1; two=zwei\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    local res = once(server, support.post("/?a=1&a=%32", "x=1&y=2&y=%C3%A4", more))
    lu.assertEquals(res.status, 200)
    lu.assertEquals(seen, { "1", { "1", "2" }, "1", "zwei", "1", { "2", "ä" },
      "http://h/?a=1&a=%32", "/" })
    local body = '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\n--b\r\n'
      .. 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
    lu.assertEquals(once(server, support.post("/upload", body,
      "Content-Type: multipart/form-data; boundary=b\r\n")).body, "a.txt hello")
  end)
end

function T.test_json_in_and_out()
  serve(function(app)
    app:post("/", function(req) return http.json({ got = req:json() }, { status = 201 }) end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(support.post("/", '{"n": 1}'))
    lu.assertEquals({ res.status, res.body, res.headers["Content-Type"] },
      { 201, '{"got":{"n":1}}', "application/json; charset=utf-8" })
    lu.assertEquals(raw:ask(support.post("/", "{")).status, 400)
    lu.assertEquals(raw:ask(support.post("/", "[]")).body, '{"got":[]}')
  end)
end

-- What was sent ahead of an end must not take the answer with it: it is read before the close.
function T.test_requests_behind_the_last_one()
  serve(function(app)
    app:get("/", function() return ("x"):rep(50000) end)
  end, function(server)
    local raw <close> = server:connect()
    raw:send(get("/", "Connection: close\r\n"), get("/"):rep(100))
    aio.sleep(0.01)
    lu.assertEquals(#raw:response().body, 50000)
    lu.assertTrue(raw:is_over())
  end)
end

function T.test_absolute_targets()
  serve(function(app)
    app:get("/x", function(req) return req.host .. " " .. req.path end)
    app:get("/", function() return "root" end)
  end, function(server)
    lu.assertEquals(once(server,
      "GET http://h/x?q HTTP/1.1\r\nHost: h\r\n\r\n").body, "h /x")
    lu.assertEquals(once(server, "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").body, "root")
  end)
end

function T.test_what_handlers_return()
  serve(function(app)
    app:get("/string", function() return "text" end)
    app:get("/response", function()
      return http.Response { status = 201, reason = "Made", body = "b", content_type = "x/y",
        headers = { ["X-A"] = "1" } }
    end)
    app:get("/text", function() return http.Response { text = "ä" } end)
    app:get("/page", function()
      return http.Response { text = "ü", content_type = "text/html" }
    end)
    app:get("/latin", function()
      return http.Response { text = "a", content_type = "text/html; Charset=latin1" }
    end)
    app:get("/html", function() return http.html("<p>", { status = 203 }) end)
    app:get("/empty", function() return http.Response { status = 204 } end)
    app:get("/error", function() return http.Gone "it was here" end)
    app:get("/headers", function()
      local res = http.Response { text = "" }
      res.headers["X-B"] = "2"
      res.headers:add("X-B", "3")
      return res
    end)
    app:get("/cookie", function()
      local res = http.Response { text = "" }
      res:set_cookie("a", "1", { httponly = true })
      res:del_cookie("b")
      return res
    end)
  end, function(server)
    local raw <close> = server:connect()
    local function ask(path) return raw:ask(get(path)) end
    lu.assertEquals(ask("/string").body, "text")
    local res = ask "/response"
    lu.assertEquals({ res.status, res.reason, res.body, res.headers["Content-Type"],
      res.headers["X-A"] }, { 201, "Made", "b", "x/y", "1" })
    lu.assertEquals(ask("/text").headers["Content-Length"], "2")
    lu.assertEquals(ask("/page").headers["Content-Type"], "text/html; charset=utf-8")
    lu.assertEquals(ask("/latin").headers["Content-Type"], "text/html; Charset=latin1")
    res = ask "/html"
    lu.assertEquals({ res.status, res.headers["Content-Type"] },
      { 203, "text/html; charset=utf-8" })
    res = ask "/empty"
    lu.assertEquals({ res.status, res.headers["Content-Length"], res.headers["Content-Type"] },
      { 204 })
    res = ask "/error"
    lu.assertEquals({ res.status, res.body }, { 410, "it was here" })
    lu.assertEquals(ask("/headers").headers:get_all "X-B", { "2", "3" })
    local cookies = ask("/cookie").headers:get_all "Set-Cookie"
    lu.assertEquals(#cookies, 2)
    lu.assertStrContains(cookies[1], "a=1")
    lu.assertStrContains(cookies[2], "Max-Age=0")
  end)
end

-- Whatever the handler has for them. 205 says so by a length of 0.
function T.test_statuses_without_a_body()
  local function status_of(req) return math.tointeger(tonumber(req.match_info.s)) end
  serve(function(app)
    app:get("/text/{s}", function(req)
      return http.Response { status = status_of(req), text = "never" }
    end)
    app:get("/error/{s}", function(req)
      error(http.HTTPException("never", { status = status_of(req) }))
    end)
    app:get("/stream/{s}", function(req)
      return http.stream(function(out) out:write "never" end, { status = status_of(req) })
    end)
    app:get("/file/{s}", function(req)
      return http.file(arg[0], { status = status_of(req) })
    end)
    app:get("/next", function() return "next" end)
  end, function(server)
    for _, what in ipairs { "text", "error", "stream", "file" } do
      for _, status in ipairs { 204, 205, 304 } do
        local raw <close> = server:connect()
        raw:send(get(("/%s/%d"):format(what, status)) .. get "/next")
        local res = raw:response()
        lu.assertEquals({ what, res.status, res.body, res.headers["Transfer-Encoding"] },
          { what, status, "" })
        lu.assertEquals(res.headers["Content-Length"], status == 205 and "0" or nil)
        lu.assertEquals(raw:response().body, "next")
      end
    end
  end)
end

function T.test_head_has_the_head_of_get_and_no_body()
  serve(function(app)
    app:get("/", function() return "hello" end)
    app:get("/stream", function() return http.stream(function(out) out:write "x" end) end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
    lu.assertEquals({ res.status, res.headers["Content-Length"], res.body }, { 200, "5", "" })
    res = raw:ask "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n"
    lu.assertEquals({ res.status, res.headers["Transfer-Encoding"] }, { 200, "chunked" })
    lu.assertEquals(raw:ask(get "/").body, "hello")
  end)
end

function T.test_no_route()
  serve(function(app)
    app:get("/a", function() return "" end)
    app:put("/a", function() return "" end)
    app:use(function(req, next)
      local ok, res = aio.catch(http.HTTPException, next, req)
      if ok then return res end
      res.headers = { ["X-Seen"] = "yes" }
      error(res, 0)
    end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get "/b")
    lu.assertEquals({ res.status, res.body, res.headers["X-Seen"] }, { 404, "404: Not Found",
      "yes" })
    res = raw:ask "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    lu.assertEquals({ res.status, res.headers.Allow }, { 405, "GET, HEAD, PUT" })
  end)
end

function T.test_connection_close_and_http_1_0()
  serve(function(app) app:get("/", function(req) return req.version end) end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get("/", "Connection: close\r\n"))
    lu.assertEquals({ res.body, res.headers.Connection }, { "1.1", "close" })
    lu.assertTrue(raw:is_over())
    local old <close> = server:connect()
    lu.assertEquals(old:ask("GET / HTTP/1.0\r\n\r\n").body, "1.0")
    lu.assertTrue(old:is_over())
    local kept <close> = server:connect()
    for _ = 1, 2 do
      res = kept:ask "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
      lu.assertEquals({ res.body, res.headers.Connection }, { "1.0", "keep-alive" })
    end
  end)
end

function T.test_signals_and_contexts_in_their_order()
  local order = {}
  local function note(name) return function() order[#order + 1] = name end end
  aio.run(function()
    local app, sub = http.Application(), http.Application()
    app.on_startup:append(note "startup")
    app:on_startup(note "startup 2")
    app.on_shutdown:append(note "shutdown")
    app.on_cleanup:append(note "cleanup")
    app.cleanup_ctx:append(function(yield, a)
      lu.assertTrue(a == app)
      note "context"()
      yield()
      note "context ends"()
    end)
    sub.on_startup:append(note "sub startup")
    sub.on_cleanup:append(note "sub cleanup")
    app:mount("/sub", sub)
    do
      local _ <close> = testing.TestServer(app)
      note "serving"()
    end
  end)
  lu.assertEquals(order, { "context", "startup", "startup 2", "sub startup", "serving", "shutdown",
    "cleanup", "sub cleanup", "context ends" })
end

function T.test_the_url_of_a_request()
  serve(function(app)
    app:route("*", "/{path:.*}", function(req) return tostring(req.url) end)
  end, function(server)
    for _, case in ipairs {
      { "GET /a%20b?c=d HTTP/1.1\r\nHost: h:81", "http://h:81/a%20b?c=d" },
      { "GET http://h/a?b HTTP/1.1\r\nHost: h", "http://h/a?b" },
      { "GET http://h HTTP/1.1\r\nHost: h", "http://h/" },
      { "GET /a HTTP/1.0", "http://localhost/a" },
      { "GET /a HTTP/1.1\r\nHost: 1.2.3.4.5", "400: Bad Request" },
      { "GET /a HTTP/1.1\r\nHost: [zz]", "400: Bad Request" },
    } do
      local raw <close> = server:connect()
      lu.assertEquals(raw:ask(case[1] .. "\r\n\r\n").body, case[2])
    end
  end)
end

function T.test_a_start_that_fails_is_undone()
  local order = {}
  aio.run(function()
    local app = http.Application()
    app.cleanup_ctx:append(function(yield)
      yield()
      order[#order + 1] = "undone"
    end)
    app.on_startup:append(function() error("no", 0) end)
    lu.assertErrorMsgEquals("no", testing.TestServer, app)
  end)
  lu.assertEquals(order, { "undone" })
end

function T.test_on_response_prepare()
  serve(function(app)
    app.on_response_prepare:append(function(req, res) res.headers["X-Path"] = req.path end)
    app:get("/a", function() return "text" end)
    app:get("/b", function() return http.stream(function(out) out:write "s" end) end)
  end, function(server)
    local raw <close> = server:connect()
    for _, path in ipairs { "/a", "/b", "/none" } do
      lu.assertEquals(raw:ask(get(path)).headers["X-Path"], path)
    end
  end)
end

function T.test_the_client_goes_away()
  local ended = {}
  serve_timed(function(app)
    app:get("/wait", function()
      local _ <close> = aio.defer(function() ended[#ended + 1] = "ended" end)
      aio.sleep(0.05)
      ended[#ended + 1] = "done"
      return ""
    end)
    app:get("/ok", function() return "ok" end)
  end, function(server)
    do
      local raw <close> = server:connect()
      raw:send(get "/wait")
      aio.sleep(0.01)
    end
    aio.sleep(0.1)
    lu.assertEquals(ended, { "done", "ended" }) -- only by option it is cancelled
    lu.assertEquals(once(server, get "/ok").body, "ok")
  end)
end

function T.test_handler_cancellation()
  local seen = {}
  serve_timed(function(app)
    app:get("/wait", function()
      local ok, err = pcall(aio.sleep, 5)
      seen[#seen + 1] = not ok and err.name or "slept"
      error(err, 0)
    end)
    app:get("/short", function()
      aio.sleep(0.01)
      return "short"
    end)
    app:post("/read", function(req) return req:read() end)
  end, function(server)
    do
      local raw <close> = server:connect()
      raw:send(get "/wait")
      aio.sleep(0.01)
    end
    aio.sleep(0.05)
    lu.assertEquals(seen, { "CancelledError" })
    local raw <close> = server:connect()
    raw:send(get "/short", get "/short",
      "POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
    lu.assertEquals(raw:response().body, "short")
    lu.assertEquals(raw:response().body, "short")
    lu.assertEquals(raw:response().body, "hi")
  end, { handler_cancellation = true })
end

function T.test_taking_the_stream_over()
  serve(function(app)
    app:get("/upgrade", function(req)
      local conn = req:_take_over()
      conn:write "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
      conn:write(conn:readexactly(5):upper())
    end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get("/upgrade", "Connection: upgrade\r\nUpgrade: x\r\n") .. "hello")
    lu.assertEquals(res.status, 101)
    lu.assertEquals(raw:rest(), "HELLO")
  end)
end

-- What a middleware gets is a response on every route.
function T.test_middlewares_may_change_what_they_get()
  serve(function(app)
    app:use(function(req, next)
      local res = next(req)
      res.headers["X-Seen"] = tostring(res.status)
      return res
    end)
    app:get("/string", function() return "text" end)
    app:get("/json", function() return http.json { 1 } end)
    app:get("/stream", function() return http.stream(function(out) out:write "s" end) end)
    app:websocket("/ws", function(ws) ws:send(ws:receive()) end)
    app:get("/ok", function() return "ok" end)
  end, function(server)
    local raw <close> = server:connect()
    for path, body in pairs { ["/string"] = "text", ["/json"] = "[1]", ["/stream"] = "s" } do
      local res = raw:ask(get(path))
      lu.assertEquals({ res.body, res.headers["X-Seen"] }, { body, "200" }, path)
    end
    do
      local ws <close> = server:connect()
      local res = ws:ask(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
      lu.assertEquals(res.status, 101)
      ws:send "\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0"
      lu.assertEquals(ws:rest():sub(1, 4), "\x81\2hi")
    end
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

function T.test_every_name_of_the_module_loads()
  for name, value in pairs(http._load_all()) do lu.assertNotNil(value, name) end
  for _, name in ipairs { "Application", "Response", "json", "html", "redirect", "file", "stream",
    "run_app", "AppRunner", "TCPSite", "UnixSite", "SockSite", "NotFound" } do
    lu.assertNotNil(http[name], name)
  end
end

function T.test_the_client_of_the_test_kit()
  aio.run(function()
    local app = http.Application()
    app:route("*", "/{what}", function(req) return req.method .. " " .. req:text() end)
    local server <close> = testing.TestServer(app)
    local client <close> = testing.TestClient(server)
    for _, verb in ipairs { "get", "post", "put", "patch", "delete", "options" } do
      local r <close> = client[verb](client, "/x", { data = verb ~= "get" and "body" or nil })
      lu.assertEquals(r:text(), verb:upper() .. (verb == "get" and " " or " body"))
    end
    local r <close> = client:head "/x"
    lu.assertEquals(r.status, 200)
    local again <close> = client:request("REPORT", "/x")
    lu.assertEquals(again:text(), "REPORT ")
    client:close()
    local owned = testing.TestClient(http.Application())
    local none <close> = owned:get "/"
    lu.assertEquals(none.status, 404)
    none:close()
    owned:close()
    lu.assertErrorMsgContains("refused", aio.open_connection, "127.0.0.1", owned.server.port)
  end)
end

function T.test_the_client_of_the_test_kit_keeps_cookies()
  aio.run(function()
    local app = http.Application()
    app:get("/set", function()
      local res = http.Response { text = "" }
      res:set_cookie("k", "v")
      return res
    end)
    app:get("/", function(req) return tostring(req.cookies.k) end)
    local server <close> = testing.TestServer(app)
    for jar, want in pairs { [false] = "v", [http.DummyCookieJar()] = "nil" } do
      local client <close> = testing.TestClient(server, { cookie_jar = jar or nil, timeout = 30 })
      client:get("/set"):close()
      local r <close> = client:get "/"
      lu.assertEquals(r:text(), want)
    end
    lu.assertErrorMsgContains("table of options", testing.TestClient, server, 5)
  end)
end

function T.test_fake_requests()
  aio.run(function()
    local app = http.Application()
    local req = testing.request("POST", "/a?b=1", { body = "{}", headers = { ["X-A"] = "1" },
      match_info = { id = "7" }, app = app, scheme = "https" })
    lu.assertEquals({ req.method, req.path, req.query_string, req.headers["x-a"], req.match_info.id,
      req.scheme, req.remote, req:read() },
      { "POST", "/a", "b=1", "1", "7", "https", "127.0.0.1", "{}" })
    lu.assertTrue(req.app == app)
  end)
end

return T
