-- SPDX-License-Identifier: MIT
-- What people write by mistake with aio.http: each is told at the caller's line, with the name of
-- the argument and the remedy, before anything was sent.

local env = require "support.env"
local lu = require "luaunit"

local T = {}

if not (env.has_http() and env.has_tls()) then
  function T.test_http() lu.skip("built without HTTP or TLS") end
  return T
end

local aio = require "aio"
local http = require "aio.http"
local kit = require "aio.http.testing"

local here = debug.getinfo(1, "S").short_src

-- Calls fn; its error is a wrong argument of this file's line, whose message contains `text`.
local function argument(text, fn, ...)
  local ok, err = pcall(fn, ...)
  lu.assertFalse(ok, "accepted: " .. text)
  lu.assertEquals(type(err), "string", tostring(err))
  lu.assertStrContains(err, text)
  lu.assertStrContains(err, "bad argument #")
  lu.assertStrContains(err, here .. ":")
end

-- The error of fn, which is of a class of its own.
local function raised(class, text, fn, ...)
  local ok, err = pcall(fn, ...)
  lu.assertFalse(ok, "accepted: " .. text)
  lu.assertTrue(aio.is(err, class), tostring(err))
  lu.assertStrContains(tostring(err), text)
end

function T.test_routes()
  local app = http.Application()
  argument("it is a pattern of Lua: %d, not \\d", function() app:get("/{x:\\d+}", print) end)
  argument("write the function's name", function() app:get("/", (function() end)()) end)
  argument("write a colon before 'get'", function() app.get("/", print) end)
  lu.assertNotNil(app:get("/{x:%d+\\}", print)) -- a backslash by itself
end

function T.test_routes_that_would_never_be_called()
  local app = http.Application()
  app:get("/a", print)
  argument("#1 to 'get' (there is a route GET '/a' already; this one would never be called)",
    function() app:get("/a", print) end)
  argument("#2 to 'route' (there is a route PUT '/{x}' already", function()
    app:put("/{x}", print)
    app:route("put", "/{x}", print)
  end)
  argument("#1 to 'websocket' (there is a route GET '/a' already", function()
    app:websocket("/a", print)
  end)
  app:post("/a", print)
  app:head("/a", print)
  app:route("*", "/a", print)
  lu.assertEquals(tostring(app), "Application: 5 routes")
end

-- In debug mode, too, the line of the server is not blamed for a handler that left by a tail call.
function T.test_a_handler_that_returns_a_call()
  aio.run_with({ debug = true }, function()
    local told
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(function(_, ctx) told = ctx end)
    local app = http.Application()
    local at = debug.getinfo(1, "l").currentline + 1
    app:get("/", function() return http.Response { stat = 1 } end)
    local client <close> = kit.TestClient(app)
    local r <close> = client:get "/"
    lu.assertEquals(r.status, 500)
    lu.assertStrMatches(told.exception, "bad argument #1 to 'Response' .*")
    lu.assertStrContains(told.message, ("(%s:%d)"):format(here, at))
  end)
end

-- What is put into the lists by hand is looked at before anything starts.
function T.test_lists_of_an_application()
  aio.run(function()
    local started = false
    for _, name in ipairs { "on_startup", "on_cleanup", "cleanup_ctx", "middlewares" } do
      local app, sub = http.Application(), http.Application()
      app:on_startup(function() started = true end)
      app:mount("/sub", sub)
      table.insert(sub[name], "x")
      local runner <close> = http.AppRunner(app)
      raised(aio.RuntimeError, ("app.%s: item 1: a function expected, got string"):format(name),
        runner.setup, runner)
    end
    lu.assertFalse(started)
    for name, method in pairs { on_startup = "on_startup", middlewares = "use" } do
      local app = http.Application()
      app[name] = print
      raised(aio.RuntimeError, ("app.%s: a list of functions expected, got function; write "
        .. "app:%s(fn)"):format(name, method), kit.TestServer, app)
    end
    argument("write a colon before 'append'", function()
      http.Application().on_startup.append(print)
    end)
    argument("to 'TestServer' (Application expected, got function", kit.TestServer, print)
    argument("to 'TestClient' (Application or TestServer expected, got nil", kit.TestClient)
  end)
end

function T.test_methods_of_requests()
  aio.run(function()
    local session <close> = http.ClientSession()
    for method, text in pairs { ["GE T"] = 'a method that is no token: "GE T"',
      [""] = 'a method that is no token: ""', [5] = "method expected, got number" } do
      text = ("bad argument #1 to 'request' (%s)"):format(text)
      argument(text, session.request, session, method, "http://127.0.0.1:1/")
      argument(text, http.request, method, "http://127.0.0.1:1/")
    end
  end)
end

-- A wrong folder is told at the start.
function T.test_static_folders()
  aio.run(function()
    for path, text in pairs { ["/no/such/folder"] = "static '/s': stat: no such file",
      ["/dev/null"] = "static '/s': /dev/null is no folder" } do
      local app = http.Application()
      app:static("/s", path)
      local runner <close> = http.AppRunner(app)
      lu.assertErrorMsgContains(text, runner.setup, runner)
    end
  end)
end

function T.test_run_app()
  local app = http.Application()
  argument("option 'port': port from 0 to 65535", function()
    http.run_app(app, { port = 99999 })
  end)
  argument("#2 to 'run_app' (option 'host': name or address of a host", function()
    http.run_app(app, { host = 8080 })
  end)
  argument("#2 to 'run_app' (option 'host': name or address", function()
    http.run_app(app, { host = { "127.0.0.1", 1 } })
  end)
  argument("option 'access_log': unknown '%Q'", function()
    http.run_app(app, { access_log = "%Q" })
  end)
end

function T.test_options_of_sites()
  aio.run(function()
    local runner <close> = http.AppRunner(http.Application())
    runner:setup()
    for name, call in pairs {
      TCPSite = function(opts) http.TCPSite(runner, "127.0.0.1", 0, opts) end,
      UnixSite = function(opts) http.UnixSite(runner, "/tmp/x", opts) end,
      SockSite = function(opts) http.SockSite(runner, 0, opts) end,
      TestServer = function(opts) kit.TestServer(http.Application(), opts) end,
    } do
      argument(("to '%s' (option 'ssl': 'key' is missing"):format(name), call,
        { ssl = { cert = "x" } })
    end
    argument("#2 to 'TCPSite' (name or address of a host expected", http.TCPSite, runner, 8080)
  end)
end

-- The makers of workers cross to them with their upvalues.
function T.test_what_cannot_cross_to_workers()
  local file = io.stdout
  lu.assertErrorMsgContains("the function that makes the application (upvalue 'file'): a userdata",
    http.run_app, function() return file end, { port = 0, workers = 1, print = false })
end

function T.test_contexts_without_yield()
  aio.run(function()
    local app, ended = http.Application(), 0
    app.cleanup_ctx:append(function(yield)
      yield()
      ended = ended + 1
    end)
    app.cleanup_ctx:append(function() end)
    local runner <close> = http.AppRunner(app)
    raised(aio.RuntimeError, "ended without calling yield()", runner.setup, runner)
    lu.assertEquals(ended, 1)
  end)
end

-- Also in a program that requires nothing else.
function T.test_the_line_to_blame_without_aio()
  for module, call in pairs { ["aio.http"] = "Application(5)",
    ["aio.http.testing"] = "TestServer(5)", ["aio.http.coding"] = "encoder(5)" } do
    local chunk = ("local m = require %q\nm.%s"):format(module, call)
    local pipe = assert(io.popen("exec 2>&1; exec env " .. env.command("-e "
      .. env.quote(chunk) .. " /dev/null")))
    lu.assertStrContains(pipe:read "a", '"]:2: bad argument #')
    pipe:close()
  end
end

function T.test_status_of_an_exception()
  for _, status in ipairs { 10, 404.5, "404", 1000 } do
    argument("field 'status': an integer from 200 to 999", function()
      return (http.HTTPException("x", { status = status }))
    end)
  end
  lu.assertEquals(http.HTTPException("x", { status = 418 }).status, 418)
end

-- What a JSON service makes of errors, as docs/api/http_server.md shows.
function T.test_fields_of_a_caught_exception()
  local err = http.NotFound "no such note"
  lu.assertEquals({ err.status, err.reason, err.message }, { 404, "Not Found", "no such note" })
  lu.assertNil(http.NotFound().message)
end

function T.test_urls_of_a_client()
  raised(aio.RuntimeError, "cannot wait outside a task; use aio.run(fn, ...)", function()
    http.get "http://localhost/"
  end)
  argument("option 'base_url': end its path with /", function()
    http.ClientSession { base_url = "http://localhost/api" }
  end)
  raised(http.InvalidURL, "no scheme; write http:// or https:// before it", http.ClientSession,
    { base_url = "localhost:8080" })
  aio.run(function()
    for _, base in ipairs { "http://h", "http://h/api/", "http://h/?a=b/c" } do
      local session <close> = http.ClientSession { base_url = base }
      lu.assertFalse(session.closed)
    end
    local session <close> = http.ClientSession()
    raised(http.InvalidURL, "write http:// or https:// before it", session.get, session,
      "localhost:8080/x")
    raised(http.InvalidURL, "write http:// or https:// before it", session.get, session,
      "www.example.test/x")
    for _, get in ipairs { function() session:get "/x" end, function() http.get "x.test" end,
      function() http.ClientSession { base_url = "foo" } end } do
      raised(http.InvalidURL, "InvalidURL: " .. here .. ":", get)
    end
    argument("write ssl = aio.ssl_context{ ... }", function()
      session:get("https://h/", { ssl = { ca = "ca.pem" } })
    end)
    raised(http.InvalidURL, "needs a session with a base_url", session.get, session, "/x")
  end)
end

-- A table with names where a value belongs: nothing of it would be sent.
function T.test_fields_that_are_nested()
  aio.run(function()
    local client <close> = kit.TestClient(http.Application())
    local nested = { a = { b = 1 } }
    argument("option 'params': 'a': value or list of values", function()
      client:get("/", { params = nested })
    end)
    argument("option 'form': 'a': value or list of values", function()
      client:post("/", { form = nested })
    end)
    argument("'a': a value, a list of values, or { data =", function()
      client:post("/", { multipart = nested })
    end)
    argument("value of 'a': a value or a list of values", function() http.encode_query(nested) end)
    lu.assertEquals(http.encode_query { a = {}, b = { 1, 2 } }, "b=1&b=2")
  end)
end

function T.test_options_of_a_websocket()
  aio.run(function()
    local client <close> = kit.TestClient(http.Application())
    argument("unknown option 'heartbeats' (there is: ", function()
      client:ws_connect("/", { heartbeats = 3 })
    end)
    argument(" heartbeat,", function() client:ws_connect("/", { heartbeats = 3 }) end)
    argument("has no body", function() client:ws_connect("/", { data = "x" }) end)
  end)
end

-- The report of a WebSocket's handler leads to where it failed, not to where that was noticed.
function T.test_where_the_handler_of_a_websocket_failed()
  local function inner(err) error(err) end
  local reports = {}
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    local app = http.Application()
    app:websocket("/text", function()
      inner "broken"
      return true
    end)
    app:websocket("/object", function()
      inner(aio.Error "broken")
      return true
    end)
    local client <close> = kit.TestClient(app)
    for _, path in ipairs { "/text", "/object" } do
      local ws <close> = client:ws_connect(path)
      lu.assertNil(ws:receive())
    end
  end)
  lu.assertEquals(#reports, 2)
  lu.assertStrContains(reports[1].traceback, "in upvalue 'inner'")
  lu.assertStrContains(reports[2].exception.traceback, "in upvalue 'inner'")
end

function T.test_clients_of_tests()
  aio.run(function()
    local server <close> = kit.TestServer(http.Application())
    local client <close> = kit.TestClient(server)
    argument("to 'make_url' (a path that begins with / expected, got 'x')", function()
      server:make_url "x"
    end)
    argument("#1 to 'get' (a path that begins with /", function() client:get() end)
    argument("#2 to 'request' (a path that begins with /", function()
      client:request("GET", "x")
    end)
    argument("#1 to 'ws_connect' (a path that begins with /", function() client:ws_connect "x" end)
    argument("#2 to 'post' (unknown option 'dta'", function() client:post("/", { dta = "" }) end)
    argument("write a colon before 'get'", function() client.get "/" end)
  end)
end

-- A handler that nobody waits for does not hold up a test's end.
function T.test_a_server_of_tests_has_little_patience()
  aio.run(function()
    local cancelled = false
    local app, entered = http.Application(), aio.Event()
    app:get("/", function()
      local _ <close> = aio.defer(function() cancelled = true end)
      entered:set()
      aio.sleep(1000)
    end)
    local server <close> = kit.TestServer(app)
    local raw = server:connect()
    raw:send "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    entered:wait()
    raw:close()
    server:close()
    lu.assertTrue(cancelled)
  end)
end

return T
