-- SPDX-License-Identifier: MIT
-- Errors of handlers: those that are answers, and those that are reported and answered with 500.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"

local T = {}

local serve, serve_timed, get = support.serve, support.serve_timed, support.get

function T.test_errors_that_are_answers()
  serve(function(app)
    app:get("/teapot", function()
      error(http.HTTPException("short", { status = 418, reason = "Teapot" }), 0)
    end)
    app:get("/found", function() error(http.Found(nil, { location = "/there" }), 0) end)
    app:get("/auth", function()
      error(http.Unauthorized("who?", { headers = { ["WWW-Authenticate"] = "Basic" },
        content_type = "text/x" }), 0)
    end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get "/teapot")
    lu.assertEquals({ res.status, res.reason, res.body }, { 418, "Teapot", "short" })
    res = raw:ask(get "/found")
    lu.assertEquals({ res.status, res.headers.Location }, { 302, "/there" })
    res = raw:ask(get "/auth")
    lu.assertEquals({ res.status, res.headers["WWW-Authenticate"], res.headers["Content-Type"] },
      { 401, "Basic", "text/x" })
  end)
end

-- Any other error: 500 with nothing of it, a report, and the connection goes on.
function T.test_other_errors_are_500_and_reported()
  local reports, mine = {}, aio.Error "secret"
  serve(function(app)
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    app:get("/object", function() error(mine, 0) end)
    app:get("/string", function() error "secret" end)
    app:get("/nothing", function() end)
    app:get("/number", function() return 5 end)
    app:get("/bad", function()
      local res = http.Response { text = "" }
      res.headers["a"] = "b\r\nc: d"
      return res
    end)
    app:get("/ok", function() return "ok" end)
  end, function(server)
    local raw <close> = server:connect()
    for _, path in ipairs { "/object", "/string", "/nothing", "/number", "/bad" } do
      local res = raw:ask(get(path))
      lu.assertEquals({ res.status, res.body }, { 500, "500: Internal Server Error" }, path)
      lu.assertEquals(raw:ask(get "/ok").body, "ok")
    end
    lu.assertTrue(reports[1].exception == mine)
    lu.assertStrContains(reports[1].message, "GET /object (")
    lu.assertStrContains(reports[1].message, ") from 127.0.0.1:")
    local place = debug.getinfo(T.test_other_errors_are_500_and_reported, "S").short_src
    for i = 1, 5 do lu.assertStrContains(reports[i].message, "(" .. place .. ":") end
    lu.assertEquals(reports[1].kind, "callback_error")
    lu.assertStrContains(tostring(reports[2].exception), "secret")
    lu.assertStrContains(reports[2].traceback, "test_http_server")
    lu.assertStrContains(tostring(reports[3].exception), "returned nothing")
    lu.assertStrContains(tostring(reports[4].exception), "a number")
    lu.assertEquals(#reports, 5)
  end)
end

-- A middleware that makes answers of errors takes no other's place away; a class is no error.
function T.test_reports_tell_where_and_what()
  local reports = {}
  serve(function(app)
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    local function deep() error("deep", 0) end
    app:use(function(req, next)
      local ok, res = aio.catch(http.HTTPError, next, req)
      return ok and res or http.json({ status = res.status }, { status = res.status })
    end)
    app:get("/deep", function() deep() end)
    app:get("/class", function() error(http.NotFound) end)
    app:get("/dot", function(req) return req.text() end)
  end, function(server)
    local raw <close> = server:connect()
    for _, path in ipairs { "/deep", "/class", "/dot" } do
      lu.assertEquals(raw:ask(get(path)).status, 500, path)
    end
  end)
  lu.assertStrContains(reports[1].traceback, "upvalue 'deep'")
  lu.assertStrContains(tostring(reports[2].exception), "write error(http.NotFound())")
  lu.assertStrContains(tostring(reports[3].exception), "write a colon before 'text'")
end

-- What is set after a response was made is checked when it is sent, or when it is set.
function T.test_fields_of_a_response_that_are_wrong()
  local cases = {
    { "body", {}, "field 'body' of the response: a string expected, got table" },
    { "body", nil, "field 'body' of the response: a string expected, got nil" },
    { "status", "404", "field 'status' of the response: an integer from 200 to 999 expected, "
      .. "got \"404\"" },
    { "status", 99, "from 200 to 999 expected, got 99" },
    { "reason", {}, "field 'reason' of the response: a string expected, got table" },
    { "content_type", 5, "field 'content_type' of the response: a string expected, got 5" },
    { "stauts", 404, "a response has no field 'stauts' (there is: body, compress," },
    { "text", "x", "a response has no field 'text'" },
  }
  local last
  for _, compress in ipairs { false, true } do
    aio.run(function()
      local app = http.Application { compress = compress }
      aio.get_running_loop():set_exception_handler(function(_, ctx)
        last = tostring(ctx.exception)
      end)
      app:get("/{n}", function(req)
        local res = http.Response { text = "x" }
        local case = cases[tonumber(req.match_info.n)]
        res[case[1]] = case[2]
        return res
      end)
      app:get("/stream", function()
        local res = http.stream(function() end)
        res.status = "200"
        return res
      end)
      app:get("/good", function()
        local res = http.Response { text = "x" }
        res.status, res.body, res._mine = 404.0, "y", 1
        return res
      end)
      local server <close> = require("aio.http.testing").TestServer(app)
      local raw <close> = server:connect()
      for i, case in ipairs(cases) do
        last = nil
        lu.assertEquals(raw:ask(get("/" .. i)).status, 500, case[3])
        lu.assertStrContains(last, case[3])
      end
      lu.assertEquals(raw:ask(get "/stream").status, 500)
      local res = raw:ask(get "/good")
      lu.assertEquals({ res.status, res.body }, { 404, "y" })
    end)
  end
end

-- Scopes see the errors of handlers as they are: a time limit its own cancellation, a group one
-- error of its child.
function T.test_scopes_that_end_by_an_error_in_a_handler()
  local reports = {}
  serve_timed(function(app)
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    app:use(function(req, next)
      if req.path ~= "/middleware" then return next(req) end
      return aio.timeout(0.02, next, req)
    end)
    app:get("/limit", function() aio.timeout(0.02, aio.sleep, 10) end)
    app:get("/scope", function()
      local _ <close> = aio.timeout(0.02)
      aio.sleep(10)
    end)
    app:get("/middleware", function() aio.sleep(10) end)
    app:get("/group", function()
      local group <close> = aio.TaskGroup()
      group:create_task(error, "child")
      aio.sleep(10)
    end)
    app:get("/nil", function() error() end)
  end, function(server)
    local raw <close> = server:connect()
    for _, path in ipairs { "/limit", "/scope", "/middleware", "/group", "/nil" } do
      lu.assertEquals(raw:ask(get(path)).status, 500, path)
    end
    for i = 1, 3 do lu.assertTrue(aio.is(reports[i].exception, aio.TimeoutError)) end
    lu.assertEquals(reports[4].exception.errors, { "child" })
    lu.assertEquals(reports[5].exception.message, "nil raised")
    lu.assertEquals(#reports, 5)
  end)
end

function T.test_what_an_exception_is_made_of()
  local err = http.NotFound("gone", { headers = { a = "b" }, reason = "No" })
  lu.assertEquals({ err.message, err.status, err.reason, err.headers.a, err.name },
    { "gone", 404, "No", "b", "NotFound" })
  lu.assertEquals(http.RequestURITooLong.reason, "URI Too Long")
  lu.assertEquals(http.NonAuthoritativeInformation.status, 203)
  lu.assertTrue(aio.is(err, http.HTTPClientError, aio.Error))
  lu.assertErrorMsgContains("text or nil expected, got table; write NotFound(text", http.NotFound,
    { text = "x" })
  lu.assertErrorMsgContains("table of fields", http.Gone, "x", 5)
end

-- The middleware that docs/api/http_server.md shows.
function T.test_errors_as_json()
  local file <close> = assert(io.open(env.root .. "/docs/api/http_server.md"))
  local page = file:read "a"
  local text = page:match "fragment\n(app:use[^`]*HTTPError[^`]*)```"
  serve(function(app)
    assert(load(text, "=fragment", "t", { app = app, aio = aio, http = http }))()
    app:get("/a", function() return "a" end)
    app:put("/a", function() return "b" end)
    app:get("/auth", function()
      error(http.Unauthorized(nil, { headers = { ["WWW-Authenticate"] = "Basic" } }))
    end)
  end, function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get("/a"):gsub("GET", "DELETE"))
    lu.assertEquals({ res.status, res.headers.Allow, res.body },
      { 405, "GET, HEAD, PUT", '{"error":"Method Not Allowed"}' })
    res = raw:ask(get "/auth")
    lu.assertEquals({ res.status, res.headers["WWW-Authenticate"] }, { 401, "Basic" })
    lu.assertEquals(raw:ask(get "/none").status, 404)
  end)
end

function T.test_location_and_allow_are_headers()
  local err = http.MethodNotAllowed("x", { allow = { "GET", "PUT" }, headers = { A = "b" } })
  lu.assertEquals({ err.headers.Allow, err.headers.A }, { "GET, PUT", "b" })
  lu.assertEquals(http.Found(nil, { location = "/there" }).headers.Location, "/there")
  lu.assertEquals(http.Found(nil, { headers = { Location = "/there" } }).status, 302)
end

function T.test_what_an_exception_is_not_made_of()
  local function refused(text, class, ...)
    lu.assertErrorMsgContains(text, class, ...)
  end
  refused("#2 to 'BadRequest' (unknown option 'header' (there is: allow,", http.BadRequest, "x",
    { header = {} })
  refused("#2 to 'Found' (field 'location' is missing", http.Found)
  refused("field 'location' is missing", http.HTTPException, "x", { status = 301 })
  refused("field 'status' is missing; write HTTPException(text,", http.HTTPException, "x")
  refused("field 'status' is missing", http.HTTPClientError)
  refused("item 1: a method expected, got table", http.MethodNotAllowed, "x", { allow = { {} } })
end

-- One class for each status; each is an answer with its own words.
function T.test_every_exception()
  local names = {}
  for status, class in pairs(require("aio.http.exceptions").by_status) do
    names[#names + 1] = class.name
    local err = http[class.name]("text", { headers = { a = "b", Location = "/" } })
    lu.assertEquals({ err.status, err.message, err.headers.a }, { status, "text", "b" })
    lu.assertTrue(aio.is(err, http.HTTPException))
    lu.assertTrue(#err.reason > 0)
  end
  lu.assertEquals(#names, 52)
  for _, name in ipairs { "HTTPSuccessful", "HTTPRedirection", "HTTPError", "HTTPClientError",
    "HTTPServerError" } do
    lu.assertTrue(aio.is(http[name]("x", { status = 299 }), http.HTTPException))
  end
  lu.assertTrue(aio.is(http.BadGateway(), http.HTTPServerError, http.HTTPError))
  lu.assertTrue(aio.is(http.UseProxy(), http.HTTPRedirection))
  lu.assertTrue(aio.is(http.Ok(), http.HTTPSuccessful))
end

return T
