-- SPDX-License-Identifier: MIT
-- Servers: how they start, serve, stop, and what happens at the limits of the system.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"

local raised, echo = streams.raised, streams.echo

local T = {}


-- Runs a program in a process of its own; `prefix` is shell text in front of it.
local function child(code, prefix)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("local aio = require 'aio'\n", code)
  file:close()
  local pipe = assert(io.popen((prefix or "") .. env.command(env.quote(path))))
  return setmetatable({ pipe = pipe }, { __close = function()
    pipe:close()
    os.remove(path)
  end })
end

-- ---- serving ----

function T.test_many_clients()
  aio.run(function()
    local srv <close> = aio.start_server(echo, "127.0.0.1", 0)
    local results = aio.map(function(i)
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      conn:write("client ", i, "\n")
      return conn:read("l")
    end, (function()
      local list = {}
      for i = 1, 200 do list[i] = i end
      return list
    end)())
    for i = 1, 200 do lu.assertEquals(results[i], "client " .. i) end
  end)
end

function T.test_the_connection_closes_when_the_handler_ends()
  aio.run(function()
    local kept
    local srv <close> = aio.start_server(function(conn)
      kept = conn
      conn:write("bye")
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    lu.assertEquals(conn:read("a"), "bye")
    lu.assertTrue(kept:is_closing())
  end)
end

function T.test_detach_keeps_it_open()
  aio.run(function()
    local kept = aio.Future()
    local srv <close> = aio.start_server(function(conn) kept:set_result(conn:detach()) end,
      "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    local peer <close> = kept:await()
    aio.sleep(0)
    peer:write("still here\n")
    lu.assertEquals(conn:read("l"), "still here")
  end)
end

function T.test_an_error_of_a_handler()
  aio.run(function()
    local seen = {}
    aio.get_running_loop():set_exception_handler(function(_, ctx) seen[#seen + 1] = ctx end)
    local mine = aio.Error "mine"
    local values = { mine, "text" }
    local n = 0
    local srv <close> = aio.start_server(function()
      n = n + 1
      error(values[n], 0)
    end, "127.0.0.1", 0)
    local ports = {}
    for i = 1, 2 do
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      ports[i] = conn:get_extra_info("sockname").port
      lu.assertNil(conn:read(1))
    end
    for i, ctx in ipairs(seen) do
      lu.assertTrue(ctx.exception == values[i])
      lu.assertEquals(ctx.kind, "callback_error")
      lu.assertEquals(ctx.address, "127.0.0.1:" .. ports[i])
      lu.assertStrContains(ctx.message, ctx.address)
      lu.assertStrContains(ctx.traceback or ctx.exception.traceback, "test_server.lua")
      lu.assertTrue(ctx.conn:is_closing())
      lu.assertTrue(aio.isfuture(ctx.task))
    end
    lu.assertEquals(#seen, 2)
  end)
end

-- Scopes see the errors of handlers as they are: a time limit its own cancellation, a group one
-- error of its child.
function T.test_scopes_that_end_by_an_error_in_a_handler()
  aio.run(function()
    local seen = {}
    aio.get_running_loop():set_exception_handler(function(_, ctx) seen[#seen + 1] = ctx end)
    local ways = {
      function(conn) aio.timeout(0.02, conn.read, conn, 1) end,
      function()
        local group <close> = aio.TaskGroup()
        group:create_task(error, "child")
        aio.sleep(10)
      end,
      function() error() end,
    }
    local n = 0
    local srv <close> = aio.start_server(function(conn)
      n = n + 1
      ways[n](conn)
    end, "127.0.0.1", 0)
    for _ = 1, #ways do
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      lu.assertNil(conn:read(1))
    end
    lu.assertTrue(aio.is(seen[1].exception, aio.TimeoutError))
    lu.assertEquals(seen[2].exception.errors, { "child" })
    lu.assertEquals(seen[3].exception.message, "nil raised")
    lu.assertStrContains(seen[3].traceback, "test_server.lua")
    lu.assertEquals(#seen, 3)
  end)
end

function T.test_a_cancelled_handler()
  aio.run(function()
    local tasks = {}
    local seen = 0
    aio.get_running_loop():set_exception_handler(function() seen = seen + 1 end)
    local srv <close> = aio.start_server(function(conn)
      tasks[#tasks + 1] = aio.current_task()
      conn:read(1)
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    while not tasks[1] do aio.sleep(0) end
    aio.sleep(0)
    tasks[1]:cancel()
    lu.assertNil(conn:read(1))
    lu.assertTrue(tasks[1]:cancelled())
    lu.assertEquals(seen, 0)
  end)
end

function T.test_a_collected_server_serves_on()
  aio.run(function()
    local port
    do
      local srv = aio.start_server(echo, "127.0.0.1", 0)
      port = srv.port
    end
    collectgarbage()
    collectgarbage()
    local conn <close> = aio.open_connection("127.0.0.1", port)
    conn:write("x\n")
    lu.assertEquals(conn:read("l"), "x")
  end)
end

-- ---- starting ----

function T.test_port_and_sockets()
  aio.run(function()
    local srv = aio.start_server(echo, { "127.0.0.1", "127.0.0.2" }, 0)
    lu.assertEquals(#srv.sockets, 2)
    local host, port = srv.sockets[2]:getsockname()
    lu.assertEquals(host, "127.0.0.2")
    lu.assertEquals(port, srv.port)
    lu.assertStrContains(tostring(srv), "127.0.0.2:" .. port)
    lu.assertTrue(srv:get_loop() == aio.get_running_loop())
    for _, at in ipairs { "127.0.0.1", "127.0.0.2" } do
      local conn <close> = aio.open_connection(at, srv.port)
      conn:write(at, "\n")
      lu.assertEquals(conn:read("l"), at)
    end
    srv:close()
    lu.assertEquals(#srv.sockets, 0)
    lu.assertEquals(tostring(srv), "Server (closed)")
    srv:close()
    srv:wait_closed()
  end)
end

function T.test_all_interfaces()
  aio.run(function()
    local srv <close> = aio.start_server(echo, nil, 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("x\n")
    lu.assertEquals(conn:read("l"), "x")
  end)
end

function T.test_start_later()
  aio.run(function()
    local srv <close> = aio.start_server(echo, "127.0.0.1", 0, { start_serving = false })
    lu.assertFalse(srv:is_serving())
    local conn <close> = aio.open_connection("127.0.0.1", srv.port) -- the system answers
    conn:write("x\n")
    srv:start_serving()
    srv:start_serving()
    lu.assertTrue(srv:is_serving())
    lu.assertEquals(conn:read("l"), "x")
    srv:close()
    lu.assertFalse(srv:is_serving())
    raised(aio.RuntimeError, srv.start_serving, srv)
  end)
end

function T.test_address_in_use()
  aio.run(function()
    local srv <close> = aio.start_server(echo, "127.0.0.1", 0)
    local err = raised(aio.OSError, aio.start_server, echo, "127.0.0.1", srv.port)
    lu.assertEquals(err.code, "EADDRINUSE")
    lu.assertStrContains(err.message, "127.0.0.1:" .. srv.port)
  end)
end

function T.test_reuse_port()
  aio.run(function()
    local srv <close> = aio.start_server(echo, "127.0.0.1", 0, { reuse_port = true })
    local other <close> = aio.start_server(echo, "127.0.0.1", srv.port, { reuse_port = true })
    lu.assertEquals(other.port, srv.port)
  end)
end

function T.test_wrong_arguments()
  aio.run(function()
    local start = aio.start_server
    lu.assertErrorMsgContains("did you call it", start, nil, "127.0.0.1", 0)
    lu.assertErrorMsgContains("bad argument #1", start, 5, "127.0.0.1", 0)
    lu.assertErrorMsgContains("bad argument #2", start, echo, 5, 0)
    lu.assertErrorMsgContains("bad argument #2", start, echo, {}, 0)
    lu.assertErrorMsgContains("bad argument #3", start, echo, "127.0.0.1")
    lu.assertErrorMsgContains("port from 0 to 65535", start, echo, "127.0.0.1", 70000)
    lu.assertErrorMsgContains("unknown option 'port'", start, echo, "127.0.0.1", 0, { port = 1 })
    for _, name in ipairs { "backlog", "max_connections", "limit" } do
      lu.assertErrorMsgContains("option '" .. name .. "'", start, echo, "127.0.0.1", 0,
        { [name] = 0 })
    end
    lu.assertErrorMsgContains("path", aio.start_unix_server, echo, "")
    local _, err = pcall(start, echo, "127.0.0.1", -1)
    lu.assertStrContains(err, "test_server.lua:")
    lu.assertEquals(raised(aio.OSError, start, echo, "203.0.113.1", 0).code, "EADDRNOTAVAIL")
  end)
end

-- ---- ending ----

function T.test_close_leaves_connections()
  aio.run(function()
    local srv = aio.start_server(echo, "127.0.0.1", 0)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write("1\n")
    lu.assertEquals(conn:read("l"), "1")
    srv:close()
    local waiter = aio.create_task(srv.wait_closed, srv)
    conn:write("2\n")
    lu.assertEquals(conn:read("l"), "2")
    lu.assertFalse(waiter:done())
    conn:close()
    waiter:await()
    lu.assertEquals(raised(aio.OSError, aio.open_connection, "127.0.0.1", srv.port).code,
      "ECONNREFUSED")
  end)
end

function T.test_wait_closed_waits_for_close()
  aio.run(function()
    local srv = aio.start_server(echo, "127.0.0.1", 0)
    local waiter = aio.create_task(srv.wait_closed, srv)
    for _ = 1, 5 do aio.sleep(0) end
    lu.assertFalse(waiter:done())
    srv:close()
    waiter:await()
  end)
end

function T.test_close_clients()
  aio.run(function()
    local big = ("x"):rep(8 * 1024 * 1024)
    local srv = aio.start_server(function(conn)
      conn:write_nowait(big)
      conn:read("a")
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    lu.assertEquals(conn:read(1), "x")
    srv:close()
    srv:close_clients()
    lu.assertEquals(#conn:read("a"), #big - 1)
    srv:wait_closed()
  end)
end

function T.test_abort_clients()
  aio.run(function()
    local n = 0
    local srv = aio.start_server(function(conn)
      n = n + 1
      conn:read("a")
    end, "127.0.0.1", 0)
    local conns = {}
    for i = 1, 5 do conns[i] = aio.open_connection("127.0.0.1", srv.port) end
    while n < 5 do aio.sleep(0) end
    srv:close()
    srv:abort_clients()
    srv:wait_closed()
    for _, conn in ipairs(conns) do
      lu.assertNil(conn:read(1))
      conn:close()
    end
  end)
end

function T.test_an_error_in_the_block_aborts()
  aio.run(function()
    local conn
    local accepted = aio.Event()
    local ok, err = pcall(function()
      local srv <close> = aio.start_server(function(c)
        accepted:set()
        c:read("a")
      end, "127.0.0.1", 0)
      conn = aio.open_connection("127.0.0.1", srv.port)
      conn:write("x")
      accepted:wait()
      error("mine", 0)
    end)
    lu.assertFalse(ok)
    lu.assertEquals(err, "mine")
    conn:close()
  end)
end

function T.test_serve_forever()
  aio.run(function()
    local srv = aio.start_server(echo, "127.0.0.1", 0, { start_serving = false })
    local t = aio.create_task(srv.serve_forever, srv)
    aio.sleep(0)
    lu.assertTrue(srv:is_serving())
    raised(aio.RuntimeError, srv.serve_forever, srv)
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    lu.assertFalse(srv:is_serving())
    raised(aio.RuntimeError, srv.serve_forever, srv)
  end)
end

function T.test_serve_forever_cancelled_with_idle_clients()
  aio.run(function()
    local accepted, ended = aio.Event(), aio.Event()
    local srv = aio.start_server(function(conn)
      accepted:set()
      lu.assertEquals(conn:read("a"), "")
      ended:set()
    end, "127.0.0.1", 0)
    local t = aio.create_task(srv.serve_forever, srv)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    accepted:wait()
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    lu.assertTrue(ended:is_set())
    lu.assertNil(conn:read(1))
  end)
end

function T.test_close_ends_serve_forever_and_not_the_clients()
  aio.run(function()
    local srv = aio.start_server(echo, "127.0.0.1", 0)
    local t = aio.create_task(srv.serve_forever, srv)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write("a\n")
    lu.assertEquals(conn:readline(), "a\n")
    srv:close()
    aio.sleep(0)
    lu.assertFalse(t:done())
    conn:write("b\n")
    lu.assertEquals(conn:readline(), "b\n")
    conn:close()
    raised(aio.CancelledError, t.await, t)
  end)
end

function T.test_close_ends_serve_forever()
  aio.run(function()
    local srv = aio.start_server(echo, "127.0.0.1", 0)
    local t = aio.create_task(srv.serve_forever, srv)
    aio.sleep(0)
    srv:close()
    raised(aio.CancelledError, t.await, t)
  end)
end

function T.test_leftovers_of_run()
  local begun, closed = 0, 0
  aio.run(function()
    local srv = aio.start_server(function(conn)
      local _ <close> = aio.defer(function() closed = closed + 1 end)
      begun = begun + 1
      conn:read("a")
    end, "127.0.0.1", 0)
    for _ = 1, 3 do aio.open_connection("127.0.0.1", srv.port) end
    while begun < 3 do aio.sleep(0) end
  end)
  lu.assertEquals(closed, 3)
end

function T.test_a_loop_that_closes_takes_everything_with_it()
  local loop = aio.new_event_loop()
  loop:set_exception_handler(function() end) -- tasks are left pending on purpose
  local conn
  local t = loop:create_task(function()
    local srv = aio.start_server(function() aio.sleep(3600) end, "127.0.0.1", 0)
    conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write_nowait(("x"):rep(8 * 1024 * 1024))
    conn:drain()
  end)
  for _ = 1, 20 do loop:step() end
  lu.assertNotNil(conn)
  lu.assertFalse(t:done())
  loop:close()
  lu.assertTrue(conn:is_closing())
  lu.assertErrorMsgContains("closed", function() conn:write_nowait("x") end)
end

-- ---- limits ----

function T.test_max_connections()
  aio.run(function()
    local now, most, served = 0, 0, 0
    local srv <close> = aio.start_server(function(conn)
      now = now + 1
      most = math.max(most, now)
      conn:write(conn:readline())
      conn:close()
      conn:wait_closed()
      now = now - 1
      served = served + 1
    end, "127.0.0.1", 0, { max_connections = 3 })
    aio.map(function(i)
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      streams.polled()
      conn:write(i, "\n")
      lu.assertEquals(conn:read("l"), tostring(i))
    end, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
    lu.assertTrue(most <= 3)
    lu.assertEquals(served, 10)
  end)
end

-- Room for three descriptors, ten clients: the system's queue keeps those for whom there is none.
function T.test_no_client_is_lost_without_descriptors()
  lu.skipIf(env.valgrind, "valgrind needs descriptors of its own")
  local server <close> = child([[
    aio.run(function()
      local served, all = 0, aio.Future()
      local srv <close> = aio.start_server(function(conn)
        conn:write("served ", conn:readline())
        conn:close()
        served = served + 1
        if served == 10 then all:set_result() end
      end, "127.0.0.1", 0)
      local files = {}
      while true do
        local file = io.open "/dev/null"
        if not file then break end
        files[#files + 1] = file
      end
      for _ = 1, 3 do table.remove(files):close() end
      print(srv.port)
      io.stdout:flush()
      all:await()
    end)
  ]], "ulimit -n 48; ")
  local port = server.pipe:read("n")
  aio.run(function()
    local conns = {}
    for i = 1, 10 do conns[i] = aio.open_connection("127.0.0.1", port) end
    aio.map(function(i)
      streams.turns(i)
      conns[i]:write(i, "\n")
      lu.assertEquals(conns[i]:read("l"), "served " .. i)
      conns[i]:close()
    end, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
  end)
end

-- The descriptors come back by no close of the loop's own: the timer must try again.
function T.test_descriptors_that_others_give_back()
  lu.skipIf(env.valgrind, "valgrind needs descriptors of its own")
  local server <close> = child([[
    aio.run(function()
      local srv <close> = aio.start_server(function(conn) conn:write("served") end, "127.0.0.1", 0,
        { start_serving = false })
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      local files = {}
      while true do
        local file = io.open "/dev/null"
        if not file then break end
        files[#files + 1] = file
      end
      srv:start_serving()
      for _ = 1, 600 do aio.sleep(0) end -- it has tried to accept
      for _ = 1, 3 do table.remove(files):close() end
      print(conn:read "a")
    end)
  ]], "ulimit -n 48; ")
  lu.assertEquals(server.pipe:read("l"), "served")
end

-- ---- Unix sockets ----

local function temporary()
  local path = os.tmpname()
  os.remove(path)
  return path
end

function T.test_a_unix_server_removes_its_file()
  local path = temporary()
  aio.run(function()
    local srv = aio.start_unix_server(echo, path)
    lu.assertTrue(env.exists(path) == nil) -- a socket cannot be opened as a file
    lu.assertEquals((srv.sockets[1]:getsockname()), path)
    lu.assertNil(srv.port)
    local conn = aio.open_unix_connection(path)
    conn:write("x\n")
    lu.assertEquals(conn:read("l"), "x")
    conn:close()
    srv:close()
  end)
  lu.assertErrorMsgContains("ENOENT", aio.run, function()
    local err = raised(aio.OSError, aio.open_unix_connection, path)
    error(err.code, 0)
  end)
end

function T.test_a_stale_socket_file_is_replaced()
  local path = temporary()
  local killed <close> = child(([[
    aio.run(function()
      aio.start_unix_server(print, %q)
      os.exit(0, false)
    end)
  ]]):format(path))
  killed.pipe:read("a")
  aio.run(function()
    local _ <close> = aio.start_unix_server(echo, path)
    local conn <close> = aio.open_unix_connection(path)
    conn:write("x\n")
    lu.assertEquals(conn:read("l"), "x")
    local err = raised(aio.OSError, aio.start_unix_server, echo, path)
    lu.assertEquals(err.code, "EADDRINUSE")
    lu.assertEquals(err.filename, path)
  end)
end

function T.test_a_file_that_is_no_socket_is_left_alone()
  local path = os.tmpname()
  aio.run(function()
    lu.assertEquals(raised(aio.OSError, aio.start_unix_server, echo, path).code, "EADDRINUSE")
  end)
  lu.assertTrue(env.exists(path))
  os.remove(path)
end

function T.test_an_abstract_name()
  aio.run(function()
    local name = "\0aio-test-" .. tostring({})
    local _ <close> = aio.start_unix_server(echo, name)
    local conn <close> = aio.open_unix_connection(name)
    conn:write("x\n")
    lu.assertEquals(conn:read("l"), "x")
    lu.assertEquals(conn:get_extra_info("peername"), name)
  end)
end

return T
