-- SPDX-License-Identifier: MIT
-- Bodies in both directions: read, refused, thrown away; streamed, and broken off.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"

local T = {}

local serve, get, once = support.serve, support.get, support.once

function T.test_bodies()
  serve(function(app)
    app:post("/read", function(req) return req:read() end)
    app:post("/ignore", function() return "ignored" end)
    app:post("/text", function(req) return req:text() end)
    app:post("/twice", function(req) return tostring(req:read() == req:read()) end)
  end, function(server)
    local raw <close> = server:connect()
    local function post(path, body, more)
      return raw:ask(("POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n%s"):format(path,
        more or "", #body, body))
    end
    local big = ("x"):rep(300000)
    lu.assertEquals(post("/read", big).body, big)
    lu.assertEquals(post("/read", "").body, "")
    lu.assertEquals(post("/ignore", big:sub(1, 100000)).body, "ignored")
    lu.assertEquals(post("/twice", "a").body, "true")
    lu.assertEquals(post("/text", "\xe4", "Content-Type: text/plain; charset=latin1\r\n").body, "ä")
    lu.assertEquals(post("/text", "\xe4").status, 400)
    lu.assertEquals(post("/text", "a", "Content-Type: text/plain; charset=utf-16\r\n").status, 415)
    lu.assertEquals(post("/read", "ok").body, "ok")
  end)
end

function T.test_a_body_over_the_limit()
  serve(function(app)
    app.client_max_size = 10
    app:post("/", function(req) return req:read() end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890"
    lu.assertEquals(res.status, 413)
    res = raw:ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n")
    lu.assertEquals(res.status, 413)
    res = raw:ask "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789"
    lu.assertEquals(res.body, "0123456789")
  end)
end

-- A body that nobody reads and that is too long to be thrown away: the answer, then the end.
function T.test_a_long_body_that_nobody_reads()
  serve(function(app)
    app:post("/", function() return "no, thanks" end)
  end, function(server)
    local raw <close> = server:connect()
    raw:send "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n"
    local res = raw:response()
    lu.assertEquals({ res.status, res.body }, { 200, "no, thanks" })
    raw:send(("x"):rep(600000))
    lu.assertTrue(raw:is_over())
    lu.assertEquals(once(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").status,
      200)
  end)
end

function T.test_expect_continue()
  serve(function(app)
    app:post("/read", function(req) return req:read() end)
    app:post("/refuse", function() error(http.Forbidden(), 0) end)
  end, function(server)
    local raw <close> = server:connect()
    local head = "POST %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    raw:send(head:format "/read")
    lu.assertEquals(raw.conn:readuntil "\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n")
    lu.assertEquals(raw:ask("hi").body, "hi")
    local res = raw:ask(head:format "/refuse")
    lu.assertEquals({ res.status, #res.interim, res.headers.Connection }, { 403, 0, "close" })
    lu.assertTrue(raw:is_over())
    lu.assertEquals(once(server, head:format("/read") .. "ok").body, "ok")
  end)
end

function T.test_streams()
  serve(function(app)
    app:get("/chunks", function()
      return http.stream(function(out, req)
        out:write("a", 1)
        out:flush()
        aio.sleep(0)
        out:write "" -- no chunk: that would be the end
        out:write(("b"):rep(100000))
        lu.assertTrue(out.request == req)
      end, { content_type = "text/x", headers = { ["X-A"] = "1" } })
    end)
    app:get("/length", function()
      return http.stream(function(out) out:write("12", "345") end, { length = 5 })
    end)
    app:get("/nothing", function() return http.stream(function() end) end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get "/chunks")
    lu.assertEquals(res.body, "a1" .. ("b"):rep(100000))
    lu.assertEquals({ res.headers["Transfer-Encoding"], res.headers["X-A"],
      res.headers["Content-Type"] }, { "chunked", "1", "text/x" })
    res = raw:ask(get "/length")
    lu.assertEquals({ res.body, res.headers["Content-Length"] }, { "12345", "5" })
    lu.assertEquals(raw:ask(get "/nothing").body, "")
    local old = once(server, "GET /chunks HTTP/1.0\r\n\r\n")
    lu.assertEquals({ old.body, old.headers["Transfer-Encoding"], old.headers.Connection },
      { "a1" .. ("b"):rep(100000), nil, "close" })
  end)
end

-- The client must not take half an answer for a whole one.
function T.test_a_stream_that_fails()
  local reports = {}
  serve(function(app)
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    app:get("/late", function()
      return http.stream(function(out)
        out:write "half"
        error "broken"
      end)
    end)
    app:get("/early", function() return http.stream(function() error "broken" end) end)
    app:get("/short", function()
      return http.stream(function(out) out:write "12" end, { length = 5 })
    end)
    app:get("/long", function()
      return http.stream(function(out)
        out:write "123"
        out:write "456"
      end, { length = 5 })
    end)
    app:get("/ok", function() return "ok" end)
  end, function(server)
    lu.assertEquals(once(server, get "/early").status, 500)
    for _, path in ipairs { "/late", "/short", "/long" } do
      local raw <close> = server:connect()
      raw:send(get(path))
      local ok, err = pcall(raw.response, raw)
      lu.assertFalse(ok)
      lu.assertTrue(aio.is(err, aio.IncompleteReadError, aio.OSError))
      lu.assertEquals(once(server, get "/ok").body, "ok")
    end
    lu.assertEquals(#reports, 4)
    lu.assertStrContains(tostring(reports[3].exception), "3 bytes before its length")
    lu.assertStrContains(tostring(reports[4].exception), "more was written")
  end)
end

return T
