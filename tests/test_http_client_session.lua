-- SPDX-License-Identifier: MIT
-- What stands around the requests of an HTTP client: middlewares, retries, moments, files.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

-- `answer` may be a table with a function that makes it, for those that count.
local function case(name, answer, fn, opts)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(type(answer) == "table" and answer.make() or answer)
    local session <close> = http.ClientSession(opts and opts() or nil)
    fn(session, server.url, server)
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end)
end

local function echo(head, body) return response(head.text .. body) end

-- ---- middlewares ----

local order = {}

local function noting(name)
  return function(req, next)
    order[#order + 1] = name .. " " .. req.method
    local res = next(req)
    order[#order + 1] = name .. " " .. res.status
    return res
  end
end

case("middlewares_stand_around_each_other", echo, function(session, url)
  order = {}
  session:get(url)
  lu.assertEquals(order, { "a GET", "b GET", "b 200", "a 200" })
  order = {}
  session:get(url, { middlewares = { noting "c" } })
  lu.assertEquals(order, { "c GET", "c 200" })
end, function() return { middlewares = { noting "a", noting "b" } } end)

case("a_middleware_changes_the_request", echo, function(session, url, server)
  local function change(req, next)
    lu.assertEquals(req.headers["user-agent"], "mine")
    lu.assertEquals(tostring(req.url), url .. "/x")
    req.headers["X-New"] = "1"
    req.headers["user-agent"] = nil
    req.url = url .. "/y"
    req.method = "PUT"
    return next(req)
  end
  local text = session:post(url .. "/x", { data = "body", headers = { ["User-Agent"] = "mine" },
    middlewares = { change } }):text()
  lu.assertStrContains(text, "PUT /y HTTP/1.1")
  lu.assertStrContains(text, "X-New: 1")
  lu.assertNil(text:find("User-Agent", 1, true))
  lu.assertStrContains(text, "\r\n\r\nbody")
  lu.assertEquals(server.connections, 1)
end)

case("a_middleware_answers_by_itself_or_raises", echo, function(session, url, server)
  local kept = session:get(url)
  lu.assertTrue(session:get(url, { middlewares = { function() return kept end } }) == kept)
  local mine = aio.RuntimeError "mine"
  lu.assertTrue(raised(aio.RuntimeError, session.get, session, url,
    { middlewares = { function() error(mine, 0) end } }) == mine)
  lu.assertEquals(server.connections, 1)
end)

case("each_hop_goes_through_them", function(head)
  if head.target == "/a" then return response("", "Location: /b\r\n", "302 Found") end
  return response "b"
end, function(session, url)
  local seen = {}
  session:get(url .. "/a", { middlewares = { function(req, next)
    seen[#seen + 1] = req.url.path
    return next(req)
  end } })
  lu.assertEquals(seen, { "/a", "/b" })
end)

-- ---- retries ----

local function after(failures, bad, good)
  return { make = function()
    local n = 0
    return function(head, _, conn)
      n = n + 1
      if n > failures then return response((good or "good ") .. n) end
      return bad(head, conn)
    end
  end }
end

local function retrying(opts)
  return function() return { middlewares = { http.retry(opts) } } end
end

case("tried_again_after_a_status", after(2, function() return response("", "", "503 Busy") end),
  function(session, url)
    local loop = aio.get_running_loop()
    local began = loop:time()
    lu.assertEquals(session:get(url):text(), "good 3")
    local took = loop:time() - began
    lu.assertTrue(took >= 1.5 and took <= 3.1, took) -- 1 and 2 seconds, less up to a half
  end, retrying { attempts = 3, backoff = 1 })

case("not_for_ever", after(9, function() return response("", "", "503 Busy") end),
  function(session, url) lu.assertEquals(session:get(url).status, 503) end,
  retrying { attempts = 2 })

case("as_the_server_wishes", after(1, function()
  return response("", "Retry-After: 7\r\n", "429 Slowly")
end), function(session, url)
  local loop = aio.get_running_loop()
  local began = loop:time()
  lu.assertEquals(session:get(url):text(), "good 2")
  lu.assertTrue(loop:time() - began >= 7)
end, retrying())

case("not_as_long_as_it_wishes", after(1, function()
  return response("", "Retry-After: 700\r\n", "429 Slowly")
end), function(session, url) lu.assertEquals(session:get(url).status, 429) end, retrying())

case("tried_again_after_an_error", after(2, function(_, conn) conn:abort() end),
  function(session, url) lu.assertEquals(session:get(url):text(), "good 3") end, retrying())

case("only_what_may_be_sent_twice", after(1, function() return response("", "", "503 X") end),
  function(session, url)
    lu.assertEquals(session:post(url, { data = "x" }).status, 503)
    local n = 0
    lu.assertEquals(session:put(url, { data = function()
      n = n + 1
      return n == 1 and "x" or nil
    end }).status, 200)
  end, retrying())

case("no_retry_beyond_the_end", after(9, function() return response("", "", "503 X") end),
  function(session, url)
    lu.assertEquals(session:get(url, { timeout = 5 }).status, 503)
  end, retrying { attempts = 100, backoff = 1 })

case("wrong_options_of_retry", echo, function()
  for text, opts in pairs { ["unknown option 'tries'"] = { tries = 1 },
    ["option 'attempts'"] = { attempts = 0 }, ["option 'backoff'"] = { backoff = -1 } } do
    local ok, err = pcall(http.retry, opts)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(err), text)
  end
end)

-- ---- moments ----

local MOMENTS = { "request_start", "request_headers_sent", "request_chunk_sent", "request_end",
  "request_exception", "request_redirect", "response_chunk_received", "connection_queued_start",
  "connection_queued_end", "connection_create_start", "connection_create_end",
  "connection_reuseconn", "dns_resolvehost_start", "dns_resolvehost_end", "dns_cache_hit",
  "dns_cache_miss" }

local function tracing(list)
  local functions = {}
  for _, moment in ipairs(MOMENTS) do
    functions["on_" .. moment] = function(ctx, facts)
      ctx.seen = (ctx.seen or 0) + 1
      assert(facts.method and facts.url.host and ctx.session)
      list[#list + 1] = moment
    end
  end
  return functions
end

T.test_all_sixteen_moments = raw.case(function()
  local seen = {}
  local server <close> = raw.answering(function(head)
    if head.target == "/a" then return response("", "Location: /b\r\n", "302 Found") end
    if head.target == "/gone" then return nil end
    return response(("x"):rep(100))
  end)
  local connector <close> = http.Connector { limit = 1, resolver = function(_, port)
    aio.sleep(1)
    return { { host = "127.0.0.1", port = port } }
  end }
  local session <close> = http.ClientSession { connector = connector, trace = tracing(seen) }
  local url = ("http://name.test:%d"):format(server.port)
  session:post(url .. "/a", { data = "body" }):read()
  lu.assertEquals(seen, { "request_start", "connection_create_start", "dns_cache_miss",
    "dns_resolvehost_start", "dns_resolvehost_end", "connection_create_end",
    "request_headers_sent", "request_chunk_sent", "request_redirect", "connection_reuseconn",
    "request_headers_sent", "response_chunk_received", "request_end" })
  for i = #seen, 1, -1 do seen[i] = nil end
  local first = aio.create_task(session.get, session, url, { headers = { Connection = "close" } })
  aio.sleep(0)
  session:get(url)
  first:await()
  local all = table.concat(seen, " ")
  lu.assertStrContains(all, "connection_queued_start")
  lu.assertStrContains(all, "connection_queued_end connection_create_start dns_cache_hit")
  for i = #seen, 1, -1 do seen[i] = nil end
  raised(http.ClientConnectionError, session.post, session, url .. "/gone")
  lu.assertEquals(seen[#seen], "request_exception")
end)

T.test_a_value_of_the_request_for_its_trace = raw.case(function()
  local server <close> = raw.answering(function() return response "" end)
  local seen = {}
  local session <close> = http.ClientSession { trace = {
    on_request_start = function(ctx) seen[#seen + 1] = ctx.trace_request_ctx end,
    on_request_end = function(ctx) seen[#seen + 1] = ctx.trace_request_ctx or "none" end,
  } }
  session:get(server.url, { trace_request_ctx = "first" })
  session:get(server.url)
  lu.assertEquals(seen, { "first", "first", "none" })
end)

T.test_who_raises_while_nobody_has_the_response = raw.case(function()
  local server <close> = raw.answering(function()
    return response(("x"):rep(1000000), "Set-Cookie: a=b\r\n")
  end)
  local mine = aio.RuntimeError "mine"
  local function fail() error(mine, 0) end
  for _, opts in ipairs {
    { trace = { on_request_end = fail } }, { raise_for_status = fail },
    { cookie_jar = { update_cookies = fail, filter_cookies = function() return {} end } },
  } do
    local session <close> = http.ClientSession(opts)
    lu.assertTrue(raised(aio.RuntimeError, session.get, session, server.url) == mine)
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end
end)

-- Whatever moment raises: the error comes out, and no connection is lost.
T.test_a_moment_that_raises = raw.case(function()
  local server <close> = raw.answering(echo)
  for _, moment in ipairs(MOMENTS) do
    local mine = aio.RuntimeError(moment)
    local connector <close> = http.Connector { limit = 1 }
    local session <close> = http.ClientSession { connector = connector,
      trace = { ["on_" .. moment] = function() error(mine, 0) end } }
    for _ = 1, 2 do
      local ok, err = pcall(session.post, session, server.url, { data = "x" })
      if not ok then lu.assertTrue(err == mine, moment) end
    end
    lu.assertStrContains(tostring(connector), "0 in use", moment)
  end
end)

-- ---- files ----

local function temporary()
  local path = os.tmpname()
  return path, aio.defer(os.remove, path)
end

local function content_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

case("save", function()
  return response(("0123456789"):rep(20000))
end, function(session, url)
  local path, _ <close> = temporary()
  local seen = {}
  local n = session:get(url):save(path, { on_progress = function(done, total)
    seen[#seen + 1] = ("%d/%d"):format(done, total)
  end })
  lu.assertEquals(n, 200000)
  lu.assertEquals(#content_of(path), 200000)
  lu.assertEquals(seen[#seen], "200000/200000")
  lu.assertEquals(session:get(url):save(path, { append = true }), 200000)
  lu.assertEquals(#content_of(path), 400000)
  local res <close> = session:get(url)
  lu.assertStrContains(raised(aio.OSError, res.save, res, "/nonexistent/file").message,
    "/nonexistent/file")
end)

case("a_download_that_is_cut_short_leaves_the_file", function(_, _, conn)
  conn:write "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"
end, function(session, url)
  local path, _ <close> = temporary()
  local file = assert(io.open(path, "w"))
  file:write "old"
  file:close()
  local res <close> = session:get(url)
  raised(http.ClientPayloadError, res.save, res, path)
  lu.assertEquals(content_of(path), "old")
  local pipe = assert(io.popen(("ls %s.*"):format(path) .. " 2>/dev/null"))
  lu.assertEquals(pipe:read "a", "")
  pipe:close()
end)

T.test_a_session_that_nobody_closes_is_reported = function()
  local here = debug.getinfo(1, "S").short_src
  local told, n = {}, nil
  local function run(debugs)
    aio.run_with({ debug = debugs }, function()
      aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
      aio.get_running_loop():set_exception_handler(function(_, ctx) told[#told + 1] = ctx end)
      n = debug.getinfo(1, "l").currentline + 1
      http.ClientSession()
      http.ClientSession():close()
      collectgarbage()
      collectgarbage()
      aio.sleep(0)
    end)
  end
  run(false)
  lu.assertEquals(told, {})
  run(true)
  lu.assertEquals({ #told, told[1].kind }, { 1, "unclosed" })
  lu.assertStrContains(told[1].message, ("Unclosed client session, made at %s:%d"):format(here, n))
  local kept
  lu.assertErrorMsgContains("client session, made at " .. here, function()
    require("aio.testing").run(function() kept = http.ClientSession() end)
  end)
  lu.assertFalse(kept.closed)
end

return T
