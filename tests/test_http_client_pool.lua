-- SPDX-License-Identifier: MIT
-- The connections of an HTTP client: kept, counted, waited for, and never used when something has
-- happened to them.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local testing = require "aio.testing"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

local function case(name, answer, fn, opts)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(answer)
    local connector <close> = http.Connector(opts)
    local session <close> = http.ClientSession { connector = connector }
    fn(session, server.url, server, connector)
  end)
end

local function ok() return response "ok" end

-- ---- keeping ----

case("a_connection_is_used_again", ok, function(session, url, server, connector)
  for _ = 1, 5 do lu.assertEquals(session:get(url):read(), "ok") end
  lu.assertEquals(server.connections, 1)
  lu.assertStrContains(tostring(connector), "0 in use, 1 idle")
end)

case("an_idle_connection_is_closed_in_time", ok, function(session, url, server, connector)
  session:get(url)
  aio.sleep(9)
  session:get(url)
  aio.sleep(9)
  lu.assertStrContains(tostring(connector), "1 idle")
  aio.sleep(2)
  lu.assertStrContains(tostring(connector), "0 idle")
  session:get(url)
  lu.assertEquals(server.connections, 2)
end, { keepalive_timeout = 10 })

case("none_is_kept", function(head)
  lu.assertEquals(head.connection, "close")
  return response "ok"
end, function(session, url, server, connector)
  for _ = 1, 3 do session:get(url) end
  lu.assertEquals(server.connections, 3)
  lu.assertStrContains(tostring(connector), "0 idle")
end, { keepalive_timeout = 0 })

case("who_asks_to_close_closes", function(head)
  if head.connection then return response "bye" end
  return response("ok", head.target == "/close" and "Connection: close\r\n" or "")
end, function(session, url, server)
  session:get(url .. "/close")
  session:get(url)
  session:get(url, { headers = { Connection = "close" } })
  session:get(url)
  lu.assertEquals(server.connections, 3)
end)

case("http_1_0_closes", function(head)
  local alive = head.target == "/alive" and "Connection: keep-alive\r\n" or ""
  return ("HTTP/1.0 200 OK\r\n%sContent-Length: 2\r\n\r\nok"):format(alive)
end, function(session, url, server)
  session:get(url .. "/alive")
  session:get(url)
  session:get(url)
  lu.assertEquals(server.connections, 2)
end)

-- ---- limits ----

-- Requests that are answered one by one, in the order in which the test says so.
local function gate()
  local events, asked = {}, {}
  return {
    asked = asked,
    answer = function(head)
      asked[#asked + 1] = head.target
      events[head.target] = events[head.target] or aio.Event()
      events[head.target]:wait()
      return response(head.target)
    end,
    open = function(target)
      events[target] = events[target] or aio.Event()
      events[target]:set()
    end,
  }
end

local function limited(name, opts, fn)
  T["test_" .. name] = raw.case(function()
    local doors = gate()
    local server <close> = raw.answering(doors.answer)
    local connector <close> = http.Connector(opts)
    local session <close> = http.ClientSession { connector = connector }
    fn(session, server.url, doors, connector)
  end)
end

local function ask(session, url, target)
  return aio.create_task(function() return session:get(url .. target):read() end)
end

limited("who_comes_first_is_served_first", { limit = 2 }, function(session, url, doors)
  local tasks = {}
  for i = 1, 6 do tasks[i] = ask(session, url, "/" .. i) end
  testing.wait_all_blocked()
  aio.sleep(0.1)
  lu.assertEquals(doors.asked, { "/1", "/2" })
  doors.open "/2"
  aio.sleep(0.1)
  lu.assertEquals(doors.asked, { "/1", "/2", "/3" })
  for i = 1, 6 do doors.open("/" .. i) end
  for i = 1, 6 do lu.assertEquals(tasks[i]:await(), "/" .. i) end
  lu.assertEquals(doors.asked, { "/1", "/2", "/3", "/4", "/5", "/6" })
end)

limited("a_cancelled_waiter_loses_nothing", { limit = 1 }, function(session, url, doors, connector)
  local first, second, third = ask(session, url, "/1"), ask(session, url, "/2"),
    ask(session, url, "/3")
  aio.sleep(0.1)
  second:cancel()
  doors.open "/1"
  doors.open "/3"
  lu.assertEquals(first:await(), "/1")
  lu.assertEquals(third:await(), "/3")
  lu.assertTrue(second:cancelled())
  lu.assertStrContains(tostring(connector), "0 in use")
end)

limited("cancelled_when_its_turn_has_just_come", { limit = 1 }, function(session, url, doors,
    connector)
  local second
  local first = aio.create_task(function()
    session:get(url .. "/1") -- gives its slot to the second, which has not gone on yet
    second:cancel()
  end)
  aio.sleep(0)
  second = ask(session, url, "/2")
  local third = ask(session, url, "/3")
  aio.sleep(0.1)
  for i = 1, 3 do doors.open("/" .. i) end
  first:await()
  lu.assertEquals(third:await(), "/3")
  aio.wait { second }
  lu.assertTrue(second:cancelled())
  lu.assertEquals(doors.asked, { "/1", "/3" })
  lu.assertStrContains(tostring(connector), "0 in use")
end)

T.test_a_limit_for_each_host = raw.case(function()
  local doors = gate()
  local one <close> = raw.answering(doors.answer)
  local two <close> = raw.answering(doors.answer)
  local session <close> = http.ClientSession { connector = http.Connector { limit = 3,
    limit_per_host = 1 } }
  local _ <close> = session.connector
  local tasks = { ask(session, one.url, "/a1"), ask(session, one.url, "/a2"),
    ask(session, two.url, "/b1"), ask(session, two.url, "/b2") }
  aio.sleep(0.1)
  table.sort(doors.asked)
  lu.assertEquals(doors.asked, { "/a1", "/b1" })
  for _, target in ipairs { "/b1", "/b2", "/a1", "/a2" } do doors.open(target) end
  for _, task in ipairs(tasks) do task:await() end
  lu.assertEquals(#doors.asked, 4)
end)

limited("waiting_has_a_limit_of_time", { limit = 1 }, function(session, url, doors)
  local first = ask(session, url, "/1")
  aio.sleep(0.1)
  local err = raised(http.ConnectionTimeoutError, session.get, session, url,
    { timeout = http.Timeout { connect = 2 } })
  local why = ": it waited for one of the connector's 1 connections (limit)"
  lu.assertStrContains(tostring(err), "took longer than 2 s (connect)" .. why)
  err = raised(http.ServerTimeoutError, session.get, session, url, { timeout = 1 })
  lu.assertStrContains(tostring(err), "took longer than 1 s (total)" .. why)
  -- the limit of making a connection is another one
  err = raised(http.ConnectionTimeoutError, session.get, session, url,
    { timeout = http.Timeout { connect = 40, total = false } })
  lu.assertStrContains(tostring(err), "took longer than 40 s (connect)" .. why)
  doors.open "/1"
  first:await()
end)

limited("waiting_for_one_of_a_host", { limit_per_host = 2 }, function(session, url, doors)
  local first, second = ask(session, url, "/1"), ask(session, url, "/2")
  aio.sleep(0.1)
  local err = raised(http.ServerTimeoutError, session.get, session, url, { timeout = 1 })
  lu.assertStrContains(tostring(err), "2 connections (limit_per_host), which are all in use")
  doors.open "/1"
  doors.open "/2"
  first:await()
  second:await()
end)

limited("closing_sends_waiters_away", { limit = 1 }, function(session, url, doors, connector)
  local first, second = ask(session, url, "/1"), ask(session, url, "/2")
  aio.sleep(0.1)
  connector:close()
  raised(http.ClientConnectionError, second.await, second)
  doors.open "/1"
  lu.assertEquals(first:await(), "/1")
  raised(http.ClientConnectionError, session.get, session, url)
end)

T.test_idle_ones_count_when_new_ones_are_made = raw.case(function()
  local servers = {}
  for i = 1, 4 do servers[i] = raw.answering(ok) end
  local session <close> = http.ClientSession { connector = http.Connector { limit = 2 } }
  local _ <close> = session.connector
  for i = 1, 4 do session:get(servers[i].url) end
  lu.assertStrContains(tostring(session.connector), "2 idle")
  session:get(servers[4].url)
  session:get(servers[1].url)
  lu.assertEquals(servers[4].connections, 1)
  lu.assertEquals(servers[1].connections, 2)
  for i = 1, 4 do local _ <close> = servers[i] end
end)

-- ---- connections that are not clean ----

case("closed_by_the_server_while_idle", function(_, _, conn, i)
  conn:write(response("ok " .. i))
  return nil
end, function(session, url, server)
  lu.assertEquals(session:get(url):read(), "ok 1")
  aio.sleep(1)
  lu.assertEquals(session:post(url):read(), "ok 2") -- was seen to be closed: no second try
  lu.assertEquals(server.connections, 2)
end)

-- The server closes when the next request comes: a client cannot have known.
local function stale(_, _, conn, i)
  if i > 1 then return response("ok " .. i) end
  conn:write(response "ok 1")
  conn:read(1)
  conn:abort()
  return nil
end

case("closed_as_the_request_arrives", stale, function(session, url, server)
  session:get(url)
  lu.assertEquals(session:get(url):read(), "ok 2")
  lu.assertEquals(server.connections, 2)
end)

case("what_may_not_be_sent_twice_is_not", stale, function(session, url, server)
  session:get(url)
  raised(http.ClientConnectionError, session.post, session, url, { data = "x" })
  lu.assertEquals(server.connections, 1)
  lu.assertEquals(session:put(url, { data = "x" }):read(), "ok 2")
end)

case("it_is_tried_once_more_only", function(_, _, conn, i)
  if i == 1 then
    conn:write(response "ok")
    conn:read(1)
  end
  conn:abort()
end, function(session, url, server)
  session:get(url)
  raised(http.ClientConnectionError, session.get, session, url)
  lu.assertEquals(server.connections, 2)
end)

case("a_new_connection_that_ends_is_an_error", function(_, _, conn) conn:close() end,
  function(session, url, server)
    local err = raised(http.ServerDisconnectedError, session.get, session, url)
    lu.assertStrContains(tostring(err), "closed the connection before it had answered")
    lu.assertEquals(server.connections, 1)
  end)

case("late_bytes_are_nobodys_answer", function(_, _, conn, i)
  if i == 1 then
    conn:write(response "one" .. response "poison")
    conn:read(1)
    return nil
  end
  return response "good"
end, function(session, url, server)
  lu.assertEquals(session:get(url):read(), "one")
  lu.assertEquals(session:get(url):read(), "good")
  lu.assertEquals(server.connections, 2)
end)

case("bytes_that_come_while_idle_are_nobodys_answer", function(_, _, conn, i)
  if i > 1 then return response "good" end
  conn:write(response "one")
  aio.sleep(1)
  conn:write(response "poison")
  conn:read(1)
end, function(session, url, server)
  lu.assertEquals(session:get(url):read(), "one")
  aio.sleep(2)
  lu.assertEquals(session:get(url):read(), "good")
  lu.assertEquals(server.connections, 2)
end)

-- The second answer is on its way before the second request, and the client's loop has not come to
-- it: nothing waits between the two.
local function sent_unasked(opts, connector_opts)
  local first
  local server <close> = raw.answering(function(_, _, conn, i)
    first = first or conn
    return response(i == 1 and "one" or "good")
  end, opts)
  local connector <close> = http.Connector(connector_opts)
  local session <close> = http.ClientSession { connector = connector }
  for _ = 1, 2 do lu.assertEquals(session:get(server.url):read(), "one") end
  first:write_nowait(response "poison")
  lu.assertEquals(session:get(server.url):read(), "good")
  lu.assertEquals(server.connections, 2)
end

T.test_what_the_loop_has_not_seen_yet_is_nobodys_answer = raw.case(function()
  sent_unasked()
end)

if env.has_tls() then
  local certs = require "support.certs"

  T.test_what_the_loop_has_not_seen_yet_is_nobodys_answer_over_tls = raw.case(function()
    for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
      sent_unasked(
        { ssl = aio.ssl_context { cert = certs.server, key = certs.server_key } },
        { ssl = aio.ssl_context { ca = certs.ca, min_version = version, max_version = version } })
    end
  end)
end

-- ---- several loops ----

T.test_a_response_of_a_loop_that_was_closed_is_not_counted = function()
  local connector = http.Connector { limit = 1 }
  local session, response_left = http.ClientSession { connector = connector }, nil
  local large = ("x"):rep(4 << 20)
  local function run(fn)
    aio.run(function()
      local server <close> = raw.answering(function(head)
        return response(head.target == "/large" and large or "ok")
      end)
      fn(server.url)
    end)
  end
  run(function(url) response_left = session:get(url .. "/large") end)
  run(function(url)
    lu.assertEquals(session:get(url):read(), "ok")
    lu.assertStrContains(tostring(connector), "(0 in use, 1 idle)")
    response_left:release()
    lu.assertStrContains(tostring(connector), "(0 in use, 1 idle)")
    lu.assertEquals(session:get(url):read(), "ok")
    lu.assertStrContains(tostring(connector), "(0 in use, 1 idle)")
    session:close()
    connector:close()
  end)
end

T.test_a_session_serves_one_loop = function()
  local a, b = aio.new_event_loop(), aio.new_event_loop()
  local function within(loop, fn) return loop:run_until_complete(loop:create_task(fn)) end
  local session, server
  within(a, function()
    server, session = raw.answering(ok), http.ClientSession()
    lu.assertEquals(session:get(server.url):read(), "ok")
  end)
  within(b, function()
    local err = raised(aio.RuntimeError, session.get, session, server.url)
    lu.assertStrContains(tostring(err), "used in another loop")
  end)
  within(a, function()
    lu.assertEquals(session:get(server.url):read(), "ok")
    lu.assertEquals(server.connections, 1)
    local _ <close> = server
    session:close()
  end)
  a:close()
  b:close()
end

case("a_cancelled_request_takes_its_connection_along", function(head, _, conn, i)
  if head.target == "/slow" then return conn:read(1) end
  return response(head.target .. i)
end, function(session, url, server, connector)
  lu.assertEquals(session:get(url .. "/a"):read(), "/a1")
  local task = ask(session, url, "/slow")
  aio.sleep(1)
  task:cancel()
  aio.wait { task }
  lu.assertTrue(task:cancelled())
  lu.assertStrContains(tostring(connector), "0 in use, 0 idle")
  lu.assertEquals(session:get(url .. "/b"):read(), "/b2")
  raised(aio.TimeoutError, session.get, session, url .. "/slow", { timeout = 3 })
  lu.assertEquals(session:get(url .. "/c"):read(), "/c3")
  lu.assertEquals(server.connections, 3)
end)

-- Cancelled after every number of turns: nothing is lost, and the next request is answered.
T.test_cancelled_at_every_point = raw.case(function()
  local server <close> = raw.answering(function(head, _, conn)
    conn:write "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ = 1, 3 do
      conn:write(("%x\r\n%s\r\n"):format(#head.target, head.target))
      aio.sleep(0)
    end
    return "0\r\n\r\n"
  end)
  local session <close> = http.ClientSession { connector = http.Connector { limit = 2 } }
  local _ <close> = session.connector
  for turns = 0, 40 do
    local task = ask(session, server.url, "/cancelled")
    for _ = 1, turns do aio.sleep(0) end
    task:cancel()
    aio.wait { task }
    lu.assertEquals(session:get(server.url .. "/next"):read(), "/next/next/next")
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end
end)

-- ---- never under another name ----

T.test_places_are_told_apart = raw.case(function()
  local connector <close> = http.Connector()
  local target = require "aio.http.target"
  local to, tls = target.parse "http://a.test/", target.parse "https://a.test/"
  local context = aio.ssl_context { verify = false }
  local keys, n = {}, 0
  for _, place in ipairs {
    connector:_place(to), connector:_place(tls), connector:_place(target.parse "http://b.test/"),
    connector:_place(target.parse "http://a.test:81/"), connector:_place(tls, { ssl = context }),
    connector:_place(tls, { ssl = aio.ssl_context { verify = false } }),
    connector:_place(tls, { server_hostname = "b.test" }),
    connector:_place(to, { proxy = "http://p.test" }),
    connector:_place(to, { proxy = "https://p.test" }),
    connector:_place(to, { proxy = "http://p.test:81" }),
    connector:_place(to, { proxy = "http://u:p@p.test" }),
    connector:_place(to, { proxy = "http://p.test", proxy_fields = { "A", "1" } }),
  } do
    lu.assertNil(keys[place.key], place.key)
    keys[place.key], n = true, n + 1
  end
  lu.assertEquals(n, 12)
  lu.assertEquals(connector:_place(tls, { ssl = context }).key,
    connector:_place(target.parse "https://A.test:443/x", { ssl = context }).key)
end)

-- ---- look-ups ----

local function with_resolver(name, resolver, fn, opts)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(ok)
    opts = opts or {}
    opts.resolver = resolver
    local connector <close> = http.Connector(opts)
    local session <close> = http.ClientSession { connector = connector }
    fn(session, ("http://name.test:%d/"):format(server.port), connector, server)
  end)
end

local asked = 0

with_resolver("a_look_up_is_remembered", function(host, port)
  asked = asked + 1
  lu.assertEquals(host, "name.test")
  aio.sleep(1)
  return { { host = "127.0.0.1", port = port } }
end, function(session, url, connector)
  asked = 0
  local function get() return session:get(url, { headers = { Connection = "close" } }):read() end
  aio.gather(get, get, get) -- at the same time: one look-up
  lu.assertEquals(asked, 1)
  get()
  lu.assertEquals(asked, 1)
  aio.sleep(11)
  get()
  lu.assertEquals(asked, 2)
  connector:clear_dns_cache("name.test")
  get()
  connector:clear_dns_cache()
  get()
  lu.assertEquals(asked, 4)
end)

with_resolver("who_waits_for_a_look_up_may_go", function(_, port)
  aio.sleep(5)
  return { { "127.0.0.1", port } }
end, function(session, url)
  local one, two = aio.create_task(session.get, session, url), aio.create_task(session.get, session,
    url)
  aio.sleep(1)
  one:cancel()
  lu.assertEquals(two:await():read(), "ok")
  lu.assertTrue(one:cancelled())
  local err = raised(http.ConnectionTimeoutError, session.get, session, (url:gsub("name", "x")),
    { timeout = http.Timeout { sock_connect = 2 } })
  lu.assertStrContains(tostring(err), "(sock_connect)")
end)

with_resolver("a_name_that_nobody_knows", function() return {} end, function(session, url)
  local err = raised(http.ClientConnectorDNSError, session.get, session, url)
  lu.assertEquals(err.code, "EAI_NONAME")
  lu.assertEquals(err.host, "name.test")
end)

with_resolver("a_resolver_that_lies", function() return { { host = "evil", port = 1 } } end,
  function(session, url)
    lu.assertStrContains(raised(aio.RuntimeError, session.get, session, url).message,
      "no { host=, port= }")
  end)

with_resolver("a_resolver_is_an_object_too", { resolve = function(_, _, port)
  return { { host = "127.0.0.1", port = port } }
end }, function(session, url) lu.assertEquals(session:get(url):read(), "ok") end)

T.test_nobody_listens = raw.case(function()
  local server = raw.answering(ok)
  local url = server.url
  do local _ <close> = server end
  local session <close> = http.ClientSession()
  local err = raised(http.ClientConnectorError, session.get, session, url)
  lu.assertEquals(err.code, "ECONNREFUSED")
  lu.assertTrue(aio.is(err.os_error, aio.OSError))
  lu.assertEquals(err.host, "127.0.0.1")
  lu.assertStrContains(tostring(err), "ClientConnectorError: cannot connect to 127.0.0.1:")
end)

T.test_a_unix_socket = raw.case(function()
  local path = os.tmpname()
  os.remove(path)
  local server <close> = aio.start_unix_server(function(conn)
    local head = raw.head(conn)
    conn:write(response(head.host .. head.target))
  end, path)
  local connector <close> = http.Connector { unix_path = path }
  local session <close> = http.ClientSession { connector = connector }
  lu.assertEquals(session:get("http://docker/info"):read(), "docker/info")
  server:close()
  local err = raised(http.UnixClientConnectorError, session.get, session, "http://other/")
  lu.assertStrContains(tostring(err), path)
end)

T.test_a_local_address = raw.case(function()
  local server <close> = raw.answering(function(_, _, conn)
    return response(conn:get_extra_info("peername").host)
  end)
  local connector <close> = http.Connector { local_addr = { "127.0.0.9", 0 }, family = "inet" }
  local session <close> = http.ClientSession { connector = connector }
  lu.assertEquals(session:get(server.url):read(), "127.0.0.9")
end)

T.test_who_closes_a_connector = raw.case(function()
  local server <close> = raw.answering(ok)
  local connector <close> = http.Connector()
  for _ = 1, 2 do
    local session <close> = http.ClientSession { connector = connector, connector_owner = false }
    lu.assertEquals(session:get(server.url):read(), "ok")
  end
  lu.assertEquals(server.connections, 1)
  lu.assertStrContains(tostring(connector), "(0 in use, 1 idle)")
  http.ClientSession({ connector = connector }):close()
  lu.assertStrContains(tostring(connector), "(closed, 0 in use, 0 idle)")
end)

T.test_nothing_is_kept_for_another_loop = function()
  local session = http.ClientSession()
  for _ = 1, 2 do
    aio.run(function()
      local server <close> = raw.answering(ok)
      lu.assertEquals(session:get(server.url):read(), "ok")
    end)
  end
  aio.run(session.close, session)
end

return T
