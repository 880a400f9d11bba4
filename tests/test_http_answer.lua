-- SPDX-License-Identifier: MIT
-- The short way of the commonest response (src/http/answer.c), and what is not for it.

local env = require "support.env"
local lu = require "luaunit"
local core = require "aio.core"
local testing = require "aio.testing"
local stream_pair = require("aio.pair").stream_pair
local support = env.has_http() and require "support.http"

local hc = env.has_http() and require "aio.http.core"
local Response, respond

local T = {}

function T.setUp()
  if not hc then lu.skip("this build has no library for HTTP") end
  Response, respond = require("aio.http").Response, require "aio.http.respond"
end

local GET = "GET / HTTP/1.1\r\nHost: here\r\n\r\n"

-- Runs fn(answer, a, b, p): answer(res, request) feeds a request and answers it from a's end.
local function with(fn)
  testing.run(function()
    local a <close>, b = stream_pair()
    local _ <close> = b
    local p = hc.parser "request"
    fn(function(res, request)
      b:write(request or GET)
      core._feed(a, p, 5, 5, true)
      return respond.answer_simply(p, res)
    end, a, b, p)
  end)
end

-- All that has come, with the date made known.
local function sent(b)
  local parts = {}
  while true do
    local data = core._read(b, 65536, 1)
    if not data then return (table.concat(parts):gsub("Date: [^\r]+", "Date: D")) end
    parts[#parts + 1] = data
  end
end

local HEAD = "HTTP/1.1 200 OK\r\nDate: D\r\nServer: aio\r\n"

function T.test_the_results_of_a_feed()
  with(function(_, a, b, p)
    b:write(GET)
    local got = { core._feed(a, p, 5, 5, true) }
    lu.assertEquals(got[2].host, "here")
    got[2] = 0
    lu.assertEquals(got, { true, 0, "GET", "/", 1, 0, hc.KEEP_ALIVE })
    p:next()
    b:write "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
    lu.assertEquals(select(6, core._feed(a, p, 5, 5, true)), -1)
    lu.assertEquals({ core._feed(a, p, 5, 5, true) }, { true }) -- a body is asked for
    lu.assertEquals(p:body(), "hi")
  end)
  with(function(_, a, b, p)
    b:write "nonsense\r\n\r\n"
    local ok, none, status, message = core._feed(a, p, 5, 5, true)
    lu.assertEquals({ ok, none, status, type(message) }, { true, nil, 400, "string" })
  end)
end

function T.test_strings_and_responses()
  with(function(answer, _, b)
    lu.assertEquals({ answer "hello" }, { true, 5 })
    lu.assertEquals(sent(b), HEAD
      .. "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello")
    lu.assertEquals({ answer(Response { body = "x", content_type = "a/b" }) }, { true, 1 })
    lu.assertEquals(sent(b), HEAD .. "Content-Type: a/b\r\nContent-Length: 1\r\n\r\nx")
    lu.assertEquals({ answer(Response {}) }, { true, 0 })
    lu.assertEquals(sent(b), HEAD .. "Content-Length: 0\r\n\r\n")
    answer("old", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    lu.assertStrContains(sent(b), "Content-Length: 3\r\nConnection: keep-alive\r\n\r\nold")
  end)
end

function T.test_what_the_defaults_of_a_response_are()
  local made = respond.as_response "text"
  lu.assertEquals({ made.status, made.body, made.content_type },
    { 200, "text", "text/plain; charset=utf-8" })
  lu.assertIs(respond.as_response(made), made)
  lu.assertNil(respond.as_response {})
  lu.assertNil(respond.as_response(nil))
  made.headers["X-Made"] = "yes"
  made.status = 201
  lu.assertEquals({ made.status, made.headers["x-made"] }, { 201, "yes" })
  lu.assertEquals(respond.as_response("next").status, 200)
end

-- A string stays one only where nobody but the loop sees it.
function T.test_results_for_the_loop_and_for_others()
  local result
  local function inner(value)
    local made = result(value)
    return made
  end
  local function loop(fn, value)
    local got = fn(value)
    return got
  end
  local class = require "aio.http.response".class
  result = hc.result_for(class, loop)
  local function is_text(got) return getmetatable(got) == class and got.body == "text" end
  lu.assertEquals(loop(inner, "text"), "text")
  lu.assertEquals(loop(function(v) return inner(v) end, "text"), "text") -- a tail call
  lu.assertTrue(is_text(inner "text"))
  lu.assertTrue(is_text(loop(function(v) return (inner(v)) end, "text")))
  lu.assertTrue(is_text(loop(function(v) return select(2, pcall(inner, v)) end, "text")))
  lu.assertTrue(is_text(loop(coroutine.wrap(inner), "text")))
  lu.assertTrue(is_text(coroutine.wrap(function() return result "text" end)()))
  local res = Response { text = "made" }
  lu.assertIs(loop(inner, res), res)
  lu.assertNil(loop(inner, {}))
  lu.assertNil(loop(inner, nil))
end

-- Whoever looks gets a response, also where those further inside pass on what they have not seen.
function T.test_what_middlewares_see_of_a_string()
  local seen
  support.serve(function(app)
    app:use(function(req, next)
      if req.query.look ~= "outer" then return next(req) end
      local res = next(req)
      seen = { getmetatable(res).__name, res.status, res.body }
      return res
    end)
    app:use(function(req, next)
      if req.query.look == "safely" then
        local ok, res = pcall(next, req)
        seen = { ok, res.status, res.body }
        return res
      end
      return next(req)
    end)
    app:get("/", function() return "text" end)
  end, function(server)
    local raw <close> = server:connect()
    for look, expected in pairs {
      outer = { "Response", 200, "text" }, safely = { true, 200, "text" }, none = {},
    } do
      seen = {}
      local res = raw:ask(support.get("/?look=" .. look))
      lu.assertEquals({ res.body, res.headers["Content-Type"] },
        { "text", "text/plain; charset=utf-8" }, look)
      lu.assertEquals(seen, expected, look)
    end
  end)
end

-- Nothing is sent, and the request can be answered in the other way.
function T.test_what_is_not_simple()
  local with_headers = Response { text = "x" }
  with_headers.headers["X-A"] = "b"
  for _, res in ipairs {
    with_headers, Response { status = 404, text = "x" }, ("x"):rep(1401), {}, 7, false,
    Response { text = "x", reason = "Fine" }, Response { body = "x", content_type = "a\r\nB: c" },
    Response { body = "x", content_type = ("t"):rep(300) }, setmetatable({ body = "x" }, {}),
  } do
    with(function(answer, a, b)
      lu.assertEquals(select("#", answer(res)), 0)
      a:write "nothing before"
      lu.assertEquals(b:readexactly(14), "nothing before")
    end)
  end
end

function T.test_requests_that_are_not_simple()
  for _, request in ipairs {
    "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad\r\n\r\n",
  } do
    with(function(answer) lu.assertEquals(select("#", answer("x", request)), 0, request) end)
  end
end

function T.test_a_request_is_answered_once()
  with(function(answer, a, b, p)
    lu.assertEquals(select("#", respond.answer_simply(p, "before any")), 0)
    lu.assertIsTrue((answer "one"))
    lu.assertEquals(select("#", respond.answer_simply(p, "two")), 0)
    lu.assertStrContains(sent(b), "one")
    lu.assertIsTrue(p:idle())
    a:close()
  end)
end

function T.test_above_the_mark()
  with(function(answer, a)
    a:set_limits { high = 10, low = 5 }
    local below = true
    for _ = 1, 5000 do
      below = answer(("x"):rep(1400))
      if not below then break end
    end
    lu.assertIsFalse(below)
    a:abort()
  end)
end

function T.test_a_stream_that_takes_nothing()
  with(function(answer, a)
    a:write_eof()
    lu.assertEquals(select("#", answer "x"), 0)
  end)
  with(function(_, a, b, p)
    b:write(GET)
    core._feed(a, p, 5, 5, true)
    a:close()
    lu.assertEquals(select("#", respond.answer_simply(p, "x")), 0)
  end)
end

-- The parser may live longer than the stream, or the stream be fed to another.
function T.test_a_stream_that_is_gone()
  local p = testing.run(function()
    local a, b = stream_pair()
    local other = hc.parser "request"
    b:write(GET)
    core._feed(a, other, 5, 5, true)
    b:write(GET)
    local last = hc.parser "request"
    core._feed(a, last, 5, 5, true)
    lu.assertEquals(select("#", respond.answer_simply(other, "x")), 0)
    a:close()
    b:close()
    return last
  end)
  collectgarbage()
  collectgarbage()
  lu.assertEquals(select("#", respond.answer_simply(p, "x")), 0)
end

function T.test_errors_of_the_caller()
  lu.assertErrorMsgContains("parser", respond.answer_simply, {}, "x")
  lu.assertErrorMsgContains("table expected", hc.answerer, 1)
  lu.assertErrorMsgContains("function expected", hc.result_for, {}, 1)
  with(function(_, a, _, p)
    lu.assertErrorMsgContains("seconds", core._feed, a, p, -1)
    lu.assertErrorMsgContains("seconds", core._feed, a, p, 1, "soon")
  end)
end

return T
