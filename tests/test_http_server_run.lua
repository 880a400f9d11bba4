-- SPDX-License-Identifier: MIT
-- Running applications: sites, run_app, workers, the graceful end, access logs, proxies in front.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local kit = require "aio.http.testing"
local testing = require "aio.testing"
local streams = require "support.streams"
local support = require "support.http"

local T = {}

local serve, get, once = support.serve, support.get, support.once
local serve_timed = support.serve_timed

local function hello(app) app:get("/", function() return "hello" end) end

local function app_of(build)
  local app = http.Application();
  (build or hello)(app)
  return app
end

-- ---- sites ----

function T.test_sites_of_a_runner()
  aio.run(function()
    local path = aio.fs.mkdtemp()
    local _ <close> = aio.defer(aio.fs.remove, path, { recursive = true })
    local runner <close> = http.AppRunner(app_of())
    lu.assertErrorMsgContains("set the runner up first", function()
      http.TCPSite(runner, "127.0.0.1", 0):start()
    end)
    runner:setup()
    local tcp = http.TCPSite(runner, "127.0.0.1", 0)
    local unix = http.UnixSite(runner, path .. "/sock")
    local sock = aio.socket("inet", "stream")
    sock:bind { host = "127.0.0.1", port = 0 }
    local given = http.SockSite(runner, sock)
    for _, site in ipairs { tcp, unix, given } do site:start() end
    lu.assertStrMatches(tcp.name, "http://127%.0%.0%.1:%d+")
    lu.assertEquals(unix.name, "http://unix:" .. path .. "/sock:")
    lu.assertStrMatches(given.name, "http://127%.0%.0%.1:%d+")
    lu.assertEquals(#runner:addresses(), 3)
    lu.assertEquals(#runner.sites, 3)
    for _, open in ipairs {
      function() return aio.open_connection("127.0.0.1", tcp.port) end,
      function() return aio.open_unix_connection(path .. "/sock") end,
      function() return aio.open_connection("127.0.0.1", given.port) end,
    } do
      local raw <close> = kit.raw(open())
      lu.assertEquals(raw:ask(get "/").body, "hello")
    end
    tcp:stop()
    lu.assertErrorMsgContains("refused", aio.open_connection, "127.0.0.1", tcp.port)
    lu.assertErrorMsgContains("started already", tcp.start, tcp)
  end)
end

function T.test_over_tls()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local certs = require "support.certs"
  aio.run(function()
    local app = app_of(function(app)
      app:get("/", function(req) return ("%s %s"):format(req.scheme, req.secure) end)
      app:post("/read", function(req) return req:read() end)
    end)
    local server <close> = kit.TestServer(app, {
      ssl = aio.ssl_context { cert = certs.server, key = certs.server_key },
    })
    local raw <close> = server:connect { ssl = aio.ssl_context { ca = certs.ca },
      server_hostname = "localhost" }
    lu.assertEquals(raw:ask(get "/").body, "https true")
    lu.assertEquals(raw:ask(support.post("/read", ("x"):rep(200000))).body, ("x"):rep(200000))
    lu.assertStrContains(server:make_url "/", "https://127.0.0.1:")
  end)
end

-- Options in place of a context.
function T.test_over_tls_by_options()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local certs = require "support.certs"
  local ssl = { cert = certs.server, key = certs.server_key }
  local client = { ssl = aio.ssl_context { ca = certs.ca }, server_hostname = "localhost" }
  aio.run(function()
    local app = app_of(function(app) app:get("/", function(req) return req.scheme end) end)
    local server <close> = kit.TestServer(app, { ssl = ssl })
    local raw <close> = server:connect(client)
    lu.assertEquals(raw:ask(get "/").body, "https")
    local tcp = http.TCPSite(server.runner, "127.0.0.1", 0, { ssl = ssl })
    tcp:start()
    lu.assertStrContains(tcp.name, "https://127.0.0.1:")
    local other <close> = kit.raw(aio.open_connection("127.0.0.1", tcp.port, client))
    lu.assertEquals(other:ask(get "/").body, "https")
  end)
end

-- ---- the start fails ----

-- A plain value cannot hold where it was raised, so the task that the error ends has to.
function T.test_where_a_start_fails()
  local function broken() return ({}).x.y end
  local function app_that_fails(undone)
    return app_of(function(app)
      app:on_startup(function() broken() end)
      app:on_cleanup(function() undone[1] = true end)
    end)
  end
  aio.run(function()
    for _, start in ipairs {
      function(app) http.AppRunner(app):setup() end,
      function(app) http.run_app(app, { port = 0, print = false }) end,
      function(app)
        http.run_app(app, { port = 0, print = false, handle_signals = false })
      end,
    } do
      local undone = {}
      local task = aio.create_task(start, app_that_fails(undone))
      lu.assertErrorMsgContains("attempt to index a nil value", task.await, task)
      lu.assertStrContains(task:traceback(), "'broken'")
      lu.assertTrue(undone[1])
    end
  end)
end

-- ---- run_app ----

-- A program that runs an application, until its answer to the first line of its output is done.
local function program(body, options)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(([[
local aio, http = require "aio", require "aio.http"
local function make()
  local http = require "aio.http"
  local app = http.Application()
  %s
  return app
end
http.run_app(%s, { host = "127.0.0.1", port = 0, %s })
print "ended"
]]):format(body, options and options:find "workers" and "make" or "make()", options or ""))
  file:close()
  return path
end

local function with_program(body, options, fn, ends)
  aio.run(function()
    local path = program(body, options)
    local _ <close> = aio.defer(os.remove, path)
    local child <close> = aio.create_subprocess_shell(
      "exec env " .. env.command(env.quote(path)), { stdout = aio.PIPE, stderr = aio.PIPE })
    local line = child.stdout:read "l"
    local port = tonumber(line and line:match ":(%d+)")
    lu.assertNotNil(port, line or child.stderr:read "a")
    fn(port, child, line)
    if ends then return end
    child:send_signal "SIGTERM"
    local out, err = child.stdout:read "a", child.stderr:read "a"
    lu.assertEquals({ child:wait(), err }, { 0, "" })
    lu.assertStrContains(out, "ended")
  end)
end

local function ask_port(port, path)
  local raw <close> = kit.raw(aio.open_connection("127.0.0.1", port))
  return raw:ask(get(path))
end

function T.test_run_app_until_a_signal()
  with_program('app:get("/", function() return "hello" end)', nil, function(port, _, line)
    lu.assertStrMatches(line, "======== Running on http://127%.0%.0%.1:%d+ ========")
    lu.assertEquals(ask_port(port, "/").body, "hello")
  end)
end

-- A handler may take its time after the first signal; the second one cancels it.
local STUBBORN = [[
  app:get("/", function()
    local _ <close> = aio.defer(print, "cancelled")
    print "asked"
    io.stdout:flush()
    aio.sleep(1e6)
  end)
  app:on_shutdown(function()
    print "stopping"
    io.stdout:flush()
  end)]]

local function check_hurry(options)
  with_program("local aio = require 'aio'" .. STUBBORN, options, function(port, child)
    local raw <close> = kit.raw(aio.open_connection("127.0.0.1", port))
    raw:send(get "/")
    lu.assertEquals(child.stdout:read "l", "(Press CTRL+C to quit)")
    lu.assertEquals(child.stdout:read "l", "asked")
    child:send_signal "SIGTERM"
    lu.assertEquals(child.stdout:read "l", "stopping")
    child:send_signal "SIGTERM"
    lu.assertEquals(child.stdout:read "l", "cancelled")
    lu.assertEquals(child.stdout:read "l", "ended")
    lu.assertEquals(child:wait(), 0)
  end, true)
end

function T.test_a_second_signal_hurries_the_end() check_hurry "shutdown_timeout = 1e6" end

function T.test_a_second_signal_hurries_workers()
  check_hurry "shutdown_timeout = 1e6, workers = 1"
end

function T.test_workers_share_a_port()
  with_program([[
    local id = tostring(app)
    local n = math.random(1 << 40)
    app:get("/", function() return tostring(n) end)
  ]], "workers = 2", function(port, _, line)
    lu.assertStrContains(line, "2 workers")
    local seen, count = {}, 0
    for _ = 1, 200 do
      local body = ask_port(port, "/").body
      if not seen[body] then
        seen[body] = true
        count = count + 1
      end
      if count == 2 then break end
    end
    lu.assertEquals(count, 2)
  end)
end

-- A start that waits for what never comes is ended by the signal; what was begun is undone.
function T.test_a_signal_while_it_starts()
  local body = [[
    app.cleanup_ctx:append(function(yield)
      print "begun"
      io.stdout:flush()
      yield()
      print "undone"
    end)
    app:on_startup(function() require("aio").Event():wait() end)
  ]]
  aio.run(function()
    for _, options in ipairs { "", "workers = 2" } do
      local path = program(body, options)
      local _ <close> = aio.defer(os.remove, path)
      local child <close> = aio.create_subprocess_shell(
        "exec env " .. env.command(env.quote(path)), { stdout = aio.PIPE, stderr = aio.PIPE })
      lu.assertEquals(child.stdout:read "l", "begun")
      child:send_signal "SIGTERM"
      lu.assertEquals({ child.stdout:read "a", child.stderr:read "a" }, { "undone\nended\n", "" })
      lu.assertEquals(child:wait(), 0)
    end
  end)
end

function T.test_a_worker_that_cannot_begin()
  aio.run(function()
    lu.assertErrorMsgContains("no application today", http.run_app, function()
      error("no application today", 0)
    end, { host = "127.0.0.1", port = 0, workers = 2, print = false, handle_signals = false })
  end)
end

function T.test_run_app_in_a_task()
  aio.run(function()
    local lines, served = {}, aio.Event()
    local task = aio.create_task(http.run_app, app_of(), {
      host = "127.0.0.1", port = 0, handle_signals = false,
      print = function(text)
        lines[#lines + 1] = text
        served:set()
      end,
    })
    served:wait()
    local port = tonumber(lines[1]:match ":(%d+)")
    lu.assertEquals(ask_port(port, "/").body, "hello")
    task:cancel()
    local ok = pcall(task.await, task)
    lu.assertFalse(ok)
    lu.assertErrorMsgContains("refused", aio.open_connection, "127.0.0.1", port)
  end)
end

function T.test_wrong_arguments()
  lu.assertErrorMsgContains("Application, or a function", http.run_app, {})
  lu.assertErrorMsgContains("a function that makes", http.run_app, http.Application(),
    { workers = 2 })
  lu.assertErrorMsgContains("positive integer", http.run_app, function() end, { workers = 0 })
  lu.assertErrorMsgContains("leave out 'path'", http.run_app, function() end,
    { workers = 2, path = "/x" })
  lu.assertErrorMsgContains("unknown option", http.run_app, http.Application(), { prot = 1 })
  lu.assertErrorMsgContains("Application expected", http.AppRunner, {})
  lu.assertErrorMsgContains("positive number", http.AppRunner, http.Application(),
    { keepalive_timeout = 0 })
  lu.assertErrorMsgContains("AppRunner expected", http.TCPSite, {})
  lu.assertErrorMsgContains("path expected", http.UnixSite, http.AppRunner(http.Application()), 5)
end

-- ---- the end ----

-- Each client counts what it has asked and what was answered whole.
local function client(port, count)
  while true do
    local ok, conn = pcall(aio.open_connection, "127.0.0.1", port)
    if not ok then return end
    local raw <close> = kit.raw(conn)
    local res
    repeat
      count.asked = count.asked + 1
      ok, res = pcall(raw.ask, raw, get "/work")
      if ok and res then
        lu.assertEquals(res.body, "done")
        count.answered = count.answered + 1
        if res.headers.Connection == "close" then count.last = count.last + 1 end
      end
    until not ok or not res or res.headers.Connection == "close"
    if not ok or not res then return end
  end
end

function T.test_a_graceful_end_under_load_loses_nothing()
  local count, started, ended = { asked = 0, answered = 0, last = 0 }, 0, 0
  aio.run(function()
    local app = app_of(function(app)
      app:get("/work", function()
        started = started + 1
        aio.sleep(0.005)
        ended = ended + 1
        return "done"
      end)
    end)
    local server = kit.TestServer(app)
    local clients = {}
    for i = 1, 50 do clients[i] = aio.create_task(client, server.port, count) end
    while started < 100 do aio.sleep(0.001) end
    server:close()
    for _, task in ipairs(clients) do task:await() end
  end)
  lu.assertEquals(ended, started)
  lu.assertEquals(count.answered, ended) -- every request that was begun was answered whole
  lu.assertEquals(count.asked, count.answered) -- and none was lost on its way
  lu.assertTrue(count.last > 0)
end

-- Calls fn(runner, clients) with an application whose socket `n` clients have connected to before;
-- the loop has not accepted any of them. Each may have asked for its number.
local function with_queue(n, asks, fn, opts)
  if require("support.datagrams").over_uv() then lu.skip "there libuv accepts by itself" end
  aio.run(function()
    local sock = aio.socket("inet", "stream")
    sock:bind { host = "127.0.0.1", port = 0 }
    sock:listen(n)
    local _, port = sock:getsockname()
    local clients = {}
    for i = 1, n do
      clients[i] = kit.raw(aio.open_connection("127.0.0.1", port))
      if asks then clients[i]:send(get("/" .. i)) end
    end
    local runner = http.AppRunner(app_of(function(app)
      app:get("/{i}", function(req) return req.match_info.i end)
    end))
    runner:setup()
    http.SockSite(runner, sock, opts):start()
    fn(runner, clients)
    for _, raw in ipairs(clients) do raw:close() end
  end)
end

function T.test_the_end_answers_who_has_connected()
  with_queue(50, true, function(runner, clients)
    runner:cleanup()
    for i, raw in ipairs(clients) do
      local res = raw:response()
      lu.assertEquals({ res.body, res.headers.Connection }, { tostring(i), "close" })
      lu.assertTrue(raw:is_over())
    end
  end)
end

function T.test_the_end_answers_who_has_connected_for_tls()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local certs = require "support.certs"
  with_queue(3, false, function(runner, clients)
    local tasks = {}
    for i, raw in ipairs(clients) do
      tasks[i] = aio.create_task(function()
        raw.conn:start_tls(aio.ssl_context { ca = certs.ca }, { server_hostname = "localhost" })
        return raw:ask(get("/" .. i))
      end)
    end
    runner:cleanup()
    for i, task in ipairs(tasks) do
      local res = task:await()
      lu.assertEquals({ res.body, res.headers.Connection }, { tostring(i), "close" })
    end
  end, { ssl = aio.ssl_context { cert = certs.server, key = certs.server_key } })
end

-- Who has connected and asks for nothing holds nobody up.
function T.test_the_end_waits_for_no_silent_client()
  with_queue(3, false, function(runner, clients)
    runner:cleanup()
    for _, raw in ipairs(clients) do lu.assertTrue(raw:is_over()) end
  end)
end

-- The loop is so busy that it does not ask the kernel before the connections are closed.
function T.test_a_request_that_nobody_has_read_is_no_idle_connection()
  serve_timed(hello, function(server)
    local raw = server:connect()
    lu.assertEquals(raw:ask(get "/").body, "hello")
    aio.create_task(function()
      streams.turns(3) -- the server gives them a moment
      testing.clock():advance(0.06)
      raw:send(get "/")
      aio.sleep(0) -- so the next turn is the server's, without a look at the kernel
    end)
    server:close()
    local res = raw:response()
    lu.assertEquals({ res.body, res.headers.Connection }, { "hello", "close" })
    raw:close()
  end)
end

function T.test_the_steps_of_the_end()
  local order = {}
  local function note(what) order[#order + 1] = what end
  testing.run(function()
    local app = app_of(function(app)
      hello(app)
      app:get("/slow", function()
        aio.sleep(0.1)
        note "slow handler ended"
        return "slow"
      end)
      app:get("/endless", function()
        local _ <close> = aio.defer(note, "endless handler ended")
        aio.sleep(60)
      end)
      app.on_shutdown:append(function() note "shutdown" end)
      app.on_cleanup:append(function() note "cleanup" end)
    end)
    local server = kit.TestServer(app, { shutdown_timeout = 0.3 })
    local idle <close> = server:connect()
    lu.assertEquals(idle:ask(get "/").body, "hello")
    local slow <close> = server:connect()
    local endless <close> = server:connect()
    slow:send(get "/slow")
    endless:send(get "/endless")
    aio.sleep(0.02)
    local closing = aio.create_task(server.close, server)
    lu.assertTrue(idle:is_over())
    local res = slow:response()
    lu.assertEquals({ res.body, res.headers.Connection }, { "slow", "close" })
    lu.assertTrue(endless:is_over())
    closing:await()
    lu.assertErrorMsgContains("refused", server.connect, server)
  end)
  lu.assertEquals(order, { "shutdown", "slow handler ended", "endless handler ended", "cleanup" })
end

-- ---- access logs ----

function T.test_access_logs()
  local lines = {}
  local function to(line) lines[#lines + 1] = line end
  local function build(app)
    hello(app)
    app:post("/p", function() error(http.Forbidden(), 0) end)
  end
  local evil = 'GET /?a=b HTTP/1.1\r\nHost: h\r\nUser-Agent: x"\\y\r\nReferer: z\r\n\r\n'
  serve(build, function(server)
    once(server, evil)
    once(server, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
  end, { access_log = true, access_log_to = to })
  lu.assertStrMatches(lines[1], '127%.0%.0%.1 %- %- %[%d%d/%a%a%a/%d%d%d%d:%d%d:%d%d:%d%d %+0000%] '
    .. '"GET /%?a=b HTTP/1%.1" 200 5 "z" "x\\x22\\x5cy"')
  lu.assertStrMatches(lines[2], '.*"POST /p HTTP/1%.1" 403 14 "%-" "%-"')
  lines = {}
  serve(build, function(server) once(server, evil) end,
    { access_log = "%m %U%q %s %B %T %D %H %v %P %% %a", access_log_to = to })
  lu.assertStrMatches(lines[1],
    'GET /%?a=b 200 5 [%d.]+ %d+ HTTP/1%.1 h %d+ %% 127%.0%.0%.1')
  lines = {}
  serve(build, function(server) once(server, evil) end,
    { access_log = "json", access_log_to = to })
  local json = require "aio.json"
  local record = json.decode(lines[1])
  lu.assertEquals({ record.remote, record.method, record.target, record.status, record.bytes,
    record.user_agent, record.referer, record.host },
    { "127.0.0.1", "GET", '/?a=b', 200, 5, 'x"\\y', "z", "h" })
  lu.assertErrorMsgContains("unknown '%x'", http.AppRunner, http.Application(),
    { access_log = "%x" })
  lu.assertErrorMsgContains("access_log_to", http.AppRunner, http.Application(),
    { access_log = true, access_log_to = 5 })
end

-- What is refused as it comes is in the log too.
function T.test_refused_requests_in_access_logs()
  local lines = {}
  local function log_of(format, bytes, status)
    serve(hello, function(server)
      local raw <close> = server:connect()
      lu.assertEquals(raw:ask(get "/").status, 200)
      lu.assertEquals(raw:ask(bytes).status, status)
      lu.assertTrue(raw:is_over())
    end, { access_log = format, access_log_to = function(line) lines[#lines + 1] = line end })
    lu.assertEquals(#lines, 2)
    return table.remove(lines), table.remove(lines)
  end
  for _, case in ipairs {
    { "nonsense\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\n\r\n", 400 },
    { get("/" .. ("x"):rep(9000)), 414 }, { get("/", "A: " .. ("x"):rep(9000) .. "\r\n"), 431 },
    { "GET / HTTP/3.1\r\nHost: h\r\n\r\n", 505 },
  } do
    local line = log_of("combined", case[1], case[2])
    lu.assertStrMatches(line, ('127%%.0%%.0%%.1 %%- %%- %%[[^]]+%%] "%%-" %d %%d+ "%%-" "%%-"')
      :format(case[2]))
  end
  lu.assertStrMatches(log_of("%a %m %U%q %H %v %s %B %D %T %{Referer}i %r", "\0", 400),
    "127%.0%.0%.1 %- %- %- %- 400 %d+ %d+ [%d.]+ %- %-")
  local json = require "aio.json"
  local record = json.decode((log_of("json", "\0", 400)))
  lu.assertEquals({ record.remote, record.status }, { "127.0.0.1", 400 })
  for _, name in ipairs { "method", "target", "version", "host", "referer", "user_agent" } do
    lu.assertTrue(record[name] == json.null, name)
  end
end

function T.test_a_request_that_comes_too_slowly_in_access_logs()
  local lines = {}
  support.in_memory(hello, function(connect)
    local raw = connect()
    raw:send "GET / HT"
    lu.assertEquals(raw:response().status, 408)
    local silent = connect() -- has asked for nothing
    lu.assertTrue(silent:is_over())
  end, { access_log = "%m %s", access_log_to = function(line) lines[#lines + 1] = line end })
  lu.assertEquals(lines, { "- 408" })
end

-- ---- proxies in front ----

function T.test_forwarded_headers()
  local function build(app)
    app:get("/", function(req)
      return ("%s %s %s"):format(req.remote, req.scheme, req.host)
    end)
  end
  local more = "X-Forwarded-For: 9.9.9.9, 10.0.0.7\r\nX-Forwarded-Proto: https\r\n"
    .. "X-Forwarded-Host: outer.test\r\n"
  local function ask(option, headers)
    local body
    serve(build, function(server) body = once(server, get("/", headers or more)).body end,
      { forwarded = option })
    return body
  end
  lu.assertEquals(ask(nil), "127.0.0.1 http h") -- not asked for, not believed
  lu.assertEquals(ask(true), "10.0.0.7 https outer.test")
  lu.assertEquals(ask { "10.1.1.1" }, "127.0.0.1 http h") -- not from a proxy that is trusted
  lu.assertEquals(ask { "127.0.0.1", "10.0.0.0/8" }, "9.9.9.9 https outer.test")
  lu.assertEquals(ask({ "127.0.0.1" }, "X-Forwarded-For: <evil>\r\nX-Forwarded-Proto: ftp\r\n"
    .. "X-Forwarded-Host: a/b\r\n"), "127.0.0.1 http h")
  lu.assertEquals(ask({ "127.0.0.1" }, "X-Forwarded-For: [2001:db8::1]:80\r\n"),
    "2001:db8::1 http h")
  lu.assertErrorMsgContains("item 1", http.AppRunner, http.Application(), { forwarded = { "x y" } })
end

return T
