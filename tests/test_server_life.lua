-- SPDX-License-Identifier: MIT
-- A server's life among its clients: cancelled, rid of them, full, and one of several at a port.

local lu = require "luaunit"
local aio = require "aio"
local datagrams = require "support.datagrams"
local env = require "support.env"
local streams = require "support.streams"

local raised, echo = streams.raised, streams.echo
local UV = datagrams.over_uv()

local T = {}

function T.test_a_port_in_the_hands_of_two_servers()
  aio.run(function()
    local function named(name) return function(conn) conn:write(name) end end
    local shared = { reuse_port = true }
    local one = aio.start_server(named "one", "127.0.0.1", 0, shared)
    local two <close> = aio.start_server(named "two", "127.0.0.1", one.port, shared)
    local err = raised(aio.OSError, aio.start_server, echo, "127.0.0.1", one.port)
    lu.assertEquals(err.code, "EADDRINUSE") -- who does not share it gets nothing
    local function visit()
      local conn <close> = aio.open_connection("127.0.0.1", two.port)
      return conn:read("a")
    end
    for _ = 1, 20 do
      local name = visit()
      lu.assertTrue(name == "one" or name == "two", name)
    end
    one:close()
    one:wait_closed()
    for _ = 1, 20 do lu.assertEquals(visit(), "two") end
  end)
end

function T.test_abort_clients_drops_what_is_unsent_and_serves_on()
  aio.run(function()
    local size, failed = 64 * 1024 * 1024, {}
    local srv <close> = aio.start_server(function(conn)
      if conn:read("l") == "small" then return conn:write("here you are") end
      conn:write_nowait(("x"):rep(size))
      failed[#failed + 1] = raised(aio.OSError, conn.drain, conn)
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("big\n")
    local got = #conn:read(65536)
    srv:abort_clients()
    aio.catch(aio.OSError, function() -- the end, or a reset
      for part in conn:lines(65536) do got = got + #part end
    end)
    lu.assertTrue(got < size)
    local other <close> = aio.open_connection("127.0.0.1", srv.port)
    other:write("small\n")
    lu.assertEquals(other:read("a"), "here you are")
    lu.assertEquals(failed[1].code, "ECONNABORTED")
    lu.assertTrue(srv:is_serving())
  end)
end

function T.test_serve_forever_cancelled_sends_what_is_left()
  aio.run(function()
    local size = 8 * 1024 * 1024
    local srv = aio.start_server(function(conn)
      conn:write_nowait(("x"):rep(size))
      conn:read("a")
    end, "127.0.0.1", 0, { start_serving = false })
    local port = srv.port
    local t = aio.create_task(srv.serve_forever, srv)
    while not srv:is_serving() do aio.sleep(0) end
    local conn <close> = aio.open_connection("127.0.0.1", port)
    lu.assertEquals(conn:read(1), "x")
    t:cancel()
    while srv:is_serving() do aio.sleep(0) end
    lu.assertFalse(t:done()) -- it waits for the connection
    lu.assertEquals(raised(aio.OSError, aio.open_connection, "127.0.0.1", port).code,
      "ECONNREFUSED")
    lu.assertEquals(#conn:read("a"), size - 1)
    raised(aio.CancelledError, t.await, t)
    srv:wait_closed()
  end)
end

function T.test_serve_forever_cancelled_while_it_waits_for_clients()
  aio.run(function()
    local srv = aio.start_server(echo, "127.0.0.1", 0, { start_serving = false })
    local t = aio.create_task(srv.serve_forever, srv)
    while not srv:is_serving() do aio.sleep(0) end
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("a\n")
    lu.assertEquals(conn:read("l"), "a")
    srv:close() -- its connections live on
    for _ = 1, 5 do aio.sleep(0) end
    lu.assertFalse(t:done())
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    conn:write("b\n")
    lu.assertEquals(conn:read("l"), "b")
    srv:abort_clients()
    srv:wait_closed()
    lu.assertNil(conn:read("l"))
  end)
end

function T.test_who_waits_at_max_connections_comes_in_by_abort_clients()
  aio.run(function()
    local served = 0
    local srv <close> = aio.start_server(function(conn)
      served = served + 1
      echo(conn)
    end, "127.0.0.1", 0, { max_connections = 2 })
    local conns = {}
    for i = 1, 5 do
      conns[i] = aio.open_connection("127.0.0.1", srv.port)
      conns[i]:write(i, "\n")
    end
    for first = 1, 5, 2 do -- two at a time, in the order in which they came
      local last = math.min(first + 1, 5)
      for i = first, last do lu.assertEquals(conns[i]:read("l"), tostring(i)) end
      for _ = 1, 10 do aio.sleep(0) end
      lu.assertEquals(served, last)
      srv:abort_clients()
    end
    for _, conn in ipairs(conns) do
      lu.assertNil(conn:read("l"))
      conn:close()
    end
  end)
end

-- ---- the end, and who waits at the door ----

local function on_tcp(handler, opts) return aio.start_server(handler, "127.0.0.1", 0, opts) end

-- Runs fn(srv, conns) with a server that has just begun to serve and `n` clients whom the system
-- has let in before; each has written its number. The loop has not accepted any of them.
local function with_queue(n, handler, fn, opts, start)
  if UV then lu.skip "there libuv accepts by itself" end
  opts = opts or {}
  opts.start_serving = false
  aio.run(function()
    local srv = (start or on_tcp)(handler, opts)
    local conns = {}
    for i = 1, n do
      conns[i] = srv.port and aio.open_connection("127.0.0.1", srv.port)
        or aio.open_unix_connection(srv.sockets[1]:getsockname())
      conns[i]:write(i, "\n")
    end
    srv:start_serving()
    fn(srv, conns)
    for _, conn in ipairs(conns) do conn:abort() end
    srv:wait_closed()
  end)
end

local function greet(conn) conn:write("you are ", conn:readline()) end

local function assert_greeted(conns, last)
  for i, conn in ipairs(conns) do
    local _, answer = aio.catch(aio.OSError, conn.read, conn, "a")
    if i <= last then
      lu.assertEquals(answer, ("you are %d\n"):format(i))
    else
      lu.assertTrue(answer == nil or answer == "" or aio.is(answer, aio.OSError))
    end
  end
end

function T.test_close_serves_who_has_connected()
  with_queue(100, greet, function(srv, conns)
    srv:close()
    lu.assertFalse(srv:is_serving())
    assert_greeted(conns, 100)
    srv:wait_closed()
  end)
end

function T.test_close_serves_who_has_connected_at_a_unix_socket()
  local path = os.tmpname()
  os.remove(path)
  with_queue(20, greet, function(srv, conns)
    srv:close()
    lu.assertNil(env.exists(path))
    assert_greeted(conns, 20)
  end, nil, function(handler, opts) return aio.start_unix_server(handler, path, opts) end)
end

function T.test_the_end_of_the_scope_serves_who_has_connected()
  with_queue(3, greet, function(srv, conns)
    do local _ <close> = srv end
    assert_greeted(conns, 3)
  end)
end

function T.test_close_lets_in_no_more_than_max_connections()
  with_queue(5, greet, function(srv, conns)
    srv:close()
    assert_greeted(conns, 2)
  end, { max_connections = 2 })
end

-- Nobody is served who would be thrown out at once.
function T.test_an_error_in_the_block_lets_nobody_in()
  local begun = 0
  local function handler() begun = begun + 1 end
  with_queue(3, handler, function(srv, conns)
    pcall(function()
      local _ <close> = srv
      error "mine"
    end)
    assert_greeted(conns, 0)
  end)
  lu.assertEquals(begun, 0)
end

-- Accepted by the system and by us, but nobody has begun with them.
function T.test_close_clients_ends_those_too_who_were_just_accepted()
  for _, how in ipairs { "close_clients", "abort_clients" } do
    local begun = 0
    with_queue(3, function() begun = begun + 1 end, function(srv, conns)
      srv:close()
      srv[how](srv)
      srv:wait_closed()
      assert_greeted(conns, 0)
    end)
    lu.assertEquals(begun, 0)
  end
end

function T.test_a_loop_that_closes_after_the_server_drops_who_was_let_in()
  if UV then lu.skip "there libuv accepts by itself" end
  local conn
  aio.run(function()
    local srv = aio.start_server(greet, "127.0.0.1", 0, { start_serving = false })
    conn = aio.open_connection("127.0.0.1", srv.port)
    srv:start_serving()
    srv:close()
  end)
  lu.assertTrue(conn:is_closing())
end

function T.test_close_without_descriptors()
  if UV then lu.skip "there libuv accepts by itself" end
  lu.skipIf(env.valgrind, "valgrind needs descriptors of its own")
  local program = os.tmpname()
  local file = assert(io.open(program, "w"))
  file:write [[
    local aio = require "aio"
    aio.run(function()
      local served = 0
      local srv = aio.start_server(function(conn)
        conn:write "served"
        served = served + 1
      end, "127.0.0.1", 0, { start_serving = false })
      local conns, files = {}, {}
      for i = 1, 3 do conns[i] = aio.open_connection("127.0.0.1", srv.port) end
      repeat files[#files + 1] = io.open "/dev/null" until not io.open "/dev/null"
      srv:start_serving()
      srv:close()
      srv:wait_closed()
      for _, conn in ipairs(conns) do print((aio.catch(aio.OSError, conn.read, conn, 1))) end
    end)
  ]]
  file:close()
  local _ <close> = aio.defer(os.remove, program)
  local pipe <close> = assert(io.popen("ulimit -n 48; " .. env.command(env.quote(program))))
  lu.assertEquals(pipe:read("a"), ("false\n"):rep(3))
end

-- Runs fn(srv, told) with a server at one connection at most; `told` is what the exception
-- handler was told.
local function with_full(fn)
  if UV then lu.skip "there the descriptor is libuv's" end
  aio.run(function()
    local loop, told = aio.get_running_loop(), aio.Future()
    loop:set_exception_handler(function(_, ctx) told:set_result(ctx) end)
    local srv = aio.start_server(echo, "127.0.0.1", 0, { max_connections = 1 })
    fn(srv, told)
    lu.assertTrue(rawequal(told:await().server, srv))
    lu.assertStrContains(told:await().message, "closed by somebody else")
    local file <close> = assert(io.open("/dev/null")) -- may have its number now
    srv:close()
    srv:wait_closed()
    local _, err = file:read(1)
    lu.assertNil(err)
  end)
end

-- Libuv would end the process.
function T.test_a_listening_descriptor_closed_before_it_is_polled()
  with_full(function(srv, told)
    aio.close_fd(srv.sockets[1]:fileno())
    lu.assertEquals(told:await().exception.code, "EBADF")
  end)
end

function T.test_a_listening_descriptor_closed_while_the_server_is_full()
  with_full(function(srv, told)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write("x\n")
    lu.assertEquals(conn:read("l"), "x")
    aio.close_fd(srv.sockets[1]:fileno())
    conn:close()
    lu.assertEquals(told:await().exception.code, "EBADF")
  end)
end

function T.test_a_listening_descriptor_that_was_shut_down()
  with_full(function(srv, told)
    local same = aio.socket { fileno = srv.sockets[1]:fileno() }
    same:shutdown("rdwr")
    same:detach()
    lu.assertEquals(told:await().exception.code, "EINVAL")
  end)
end

return T
