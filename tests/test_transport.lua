-- SPDX-License-Identifier: MIT
-- Transports of streams: connecting, serving, the callbacks. Their order is also in the conformance
-- programs x_transport_*, recorded from asyncio.

local lu = require "luaunit"
local aio = require "aio"
local protocols = require "support.protocols"
local streams = require "support.streams"

local recorder, echo, with_server = protocols.recorder, protocols.echo, protocols.with_server
local reports_of, wait_for = protocols.reports_of, protocols.wait_for
local raised = streams.raised

local T = { TestConnect = {}, TestServer = {}, TestCallbacks = {} }

-- ---- connecting ----

function T.TestConnect.test_both_are_returned()
  with_server(function(loop, srv, made)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    lu.assertTrue(rawequal(tr, p.transport))
    lu.assertTrue(rawequal(tr:get_protocol(), p))
    lu.assertEquals(p.log, { "made" })
    lu.assertStrMatches(tostring(tr), "Transport %(open%): 0?x?%x+")
    tr:close()
    lu.assertStrMatches(tostring(tr), "Transport %(closing%): 0?x?%x+")
    lu.assertNil(p.lost:await())
    lu.assertStrMatches(tostring(tr), "Transport %(closed%): 0?x?%x+")
    lu.assertEquals(p.log, { "made", "lost" })
    wait_for(function() return made[1] end)
    made[1].lost:await()
    lu.assertEquals(made[1].log, { "made", "eof", "lost" })
  end)
end

function T.TestConnect.test_a_unix_socket()
  aio.run(function()
    local loop, path = aio.get_running_loop(), os.tmpname()
    os.remove(path)
    local _ <close> = loop:create_unix_server(echo, path)
    local tr, p = loop:create_unix_connection(recorder, path)
    tr:write("hello ", 1, { " ", "there" })
    wait_for(function() return #p.log == 2 end)
    lu.assertEquals(p.log, { "made", "data HELLO 1 THERE" })
    lu.assertEquals(tr:get_extra_info "peername", path)
    tr:close()
    p.lost:await()
    lu.assertEquals(tr:get_extra_info "peername", path)
    lu.assertNil(tr:get_extra_info "fileno")
  end)
end

function T.TestConnect.test_what_it_tells()
  with_server(function(loop, srv)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    local name = tr:get_extra_info "sockname"
    lu.assertEquals(tr:get_extra_info "peername", { host = "127.0.0.1", port = srv.port })
    lu.assertEquals(math.type(tr:get_extra_info "fileno"), "integer")
    lu.assertEquals(tr:get_extra_info("nonsense", 7), 7)
    lu.assertNil(tr:get_extra_info "nonsense")
    tr:abort()
    p.lost:await()
    lu.assertEquals(tr:get_extra_info "sockname", name)
    lu.assertEquals(tr:get_extra_info("fileno", -1), -1)
  end)
end

function T.TestConnect.test_refused()
  aio.run(function()
    local loop, calls = aio.get_running_loop(), 0
    local srv = aio.start_server(print, "127.0.0.1", 0)
    local port = srv.port
    srv:close()
    local err = raised(aio.OSError, loop.create_connection, loop, function() calls = calls + 1 end,
      "127.0.0.1", port)
    lu.assertEquals(err.code, "ECONNREFUSED")
    lu.assertEquals(#err.errors, 1)
    lu.assertEquals(calls, 0)
  end)
end

function T.TestConnect.test_a_factory_that_fails()
  with_server(function(loop, srv, made)
    local ok, err = pcall(loop.create_connection, loop, function() error("no", 0) end,
      "127.0.0.1", srv.port)
    lu.assertEquals({ ok, err }, { false, "no" })
    err = raised(aio.RuntimeError, loop.create_connection, loop, function() end, "127.0.0.1",
      srv.port)
    lu.assertStrContains(err.message, "must return it (a table with callbacks); it returned n")
    err = raised(aio.RuntimeError, loop.create_connection, loop, function() return "x" end,
      "127.0.0.1", srv.port)
    lu.assertStrContains(err.message, "it returned a string")
    wait_for(function() return #made == 3 and #made[3].log >= 2 end) -- all were closed
  end)
end

-- A function that says that loop[method](loop, ...) raises an error with the text.
local function refusing(loop)
  return function(text, method, ...)
    local ok, err = pcall(loop[method], loop, ...)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(err), text)
  end
end

function T.TestConnect.test_wrong_arguments()
  aio.run(function()
    local loop = aio.get_running_loop()
    local wrong = refusing(loop)
    wrong("bad argument #1 to 'create_connection' (function that returns a protocol expected, got "
      .. "nil)", "create_connection")
    wrong("bad argument #2 to 'create_connection' (name or address", "create_connection", print)
    wrong("bad argument #3 to 'create_connection' (port", "create_connection", print, "x", -1)
    wrong("bad argument #4 to 'create_connection' (unknown option 'limit'", "create_connection",
      print, "x", 1, { limit = 1 })
    wrong("bad argument #2 to 'create_unix_connection' (path", "create_unix_connection", print, 1)
    wrong("bad argument #2 to 'create_server' (name or address", "create_server", print, 1)
    wrong("bad argument #4 to 'create_server' (option 'backlog'", "create_server", print, "x", 0,
      { backlog = 0 })
    wrong("bad argument #3 to 'create_unix_server' (unknown", "create_unix_server", print, "/x",
      { family = "inet" })
    local other <close> = aio.new_event_loop()
    local err = raised(aio.RuntimeError, other.create_connection, other, print, "127.0.0.1", 1)
    lu.assertStrContains(err.message, "not the loop that runs")
  end)
end

function T.TestConnect.test_cancelled_before_it_returns()
  with_server(function(loop, srv, made)
    local p = recorder()
    function p:connection_made(tr)
      self.transport = tr
      self.task:cancel()
    end
    local task = aio.create_task(loop.create_connection, loop, function() return p end,
      "127.0.0.1", srv.port)
    p.task = task
    lu.assertFalse((pcall(task.await, task)))
    lu.assertTrue(task:cancelled())
    lu.assertTrue(p.transport:is_closing())
    lu.assertNil(p.lost:await())
    wait_for(function() return made[1] and made[1].lost:done() end)
  end)
end

function T.TestConnect.test_a_time_limit()
  with_server(function(loop, srv)
    local tr = loop:create_connection(recorder, "127.0.0.1", srv.port, { timeout = 5 })
    aio.sleep(0)
    tr:write("still open")
    tr:close()
    tr:get_protocol().lost:await()
  end)
end

-- ---- sockets and pipes that exist already ----

function T.TestConnect.test_a_socket_is_taken_over()
  aio.run(function()
    local loop = aio.get_running_loop()
    for _, method in ipairs { "create_connection", "connect_accepted_socket" } do
      local a, b <close> = aio.socketpair()
      local p
      if method == "create_connection" then
        _, p = loop:create_connection(echo, nil, nil, { sock = a })
      else
        _, p = loop:connect_accepted_socket(echo, a)
      end
      lu.assertNil(a:fileno())
      b:send("hello")
      lu.assertEquals(loop:sock_recv(b, 10), "HELLO")
      p.transport:close()
      p.lost:await()
      lu.assertNil(loop:sock_recv(b, 10))
    end
    local a, b <close> = aio.socketpair()
    local stream <close> = aio.open_connection { sock = a }
    stream:write("x")
    lu.assertEquals(b:recv(10), "x")
  end)
end

function T.TestConnect.test_wrong_sockets()
  aio.run(function()
    local loop = aio.get_running_loop()
    local wrong = refusing(loop)
    local s <close> = aio.socket()
    local closed = aio.socket()
    closed:close()
    wrong("socket is not connected", "create_connection", recorder, nil, nil, { sock = s })
    wrong("socket is not connected", "connect_accepted_socket", recorder, s)
    lu.assertNotNil(s:fileno()) -- still the caller's
    wrong("bad argument #2 to 'connect_accepted_socket' (aio.socket, or a desc",
      "connect_accepted_socket", recorder)
    wrong("expected, got a closed one", "connect_accepted_socket", recorder, closed)
    wrong("bad argument #4 to 'create_connection' (aio.socket", "create_connection",
      recorder, nil, nil, { sock = "x" })
    wrong("leave host and port out", "create_connection", recorder, "x", 1, { sock = s })
    wrong("ssl: a server needs a context", "connect_accepted_socket", recorder, s, { ssl = true })
    local a, b <close> = aio.socketpair()
    wrong("no protocol", "create_connection", function() error("no protocol", 0) end, nil, nil,
      { sock = a })
    lu.assertNil(loop:sock_recv(b, 1))
  end)
end

-- A read end and a write end, as files.
local function pipe()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  local both = assert(io.open(path, "r+")) -- so that the others find a peer
  local reader, writer = assert(io.open(path, "r")), assert(io.open(path, "w"))
  both:close()
  os.remove(path)
  return reader, writer
end

-- Calls fn with the transports and the protocols of both ends.
local function with_pipe(fn)
  aio.run(function()
    local loop = aio.get_running_loop()
    local r, w <close> = pipe()
    local rt, rp = loop:connect_read_pipe(recorder, r)
    local wt, wp = loop:connect_write_pipe(recorder, w)
    r:close()
    w:close()
    fn(rt, wt, rp, wp)
  end)
end

function T.TestConnect.test_a_pipe()
  for _, finish in ipairs { "close", "write_eof" } do
    with_pipe(function(rt, wt, rp, wp)
      lu.assertTrue(wt:can_write_eof())
      lu.assertFalse(rt:can_write_eof())
      raised(aio.RuntimeError, rt.write, rt, "x")
      lu.assertFalse(rt:is_closing())
      wt:write("through")
      wt[finish](wt)
      lu.assertNil(rp.lost:await())
      lu.assertNil(wp.lost:await())
      lu.assertEquals(rp.log, { "made", "data through", "eof", "lost" })
      lu.assertEquals(wp.log, { "made", "lost" })
    end)
  end
end

-- Calls fn with the transport and the protocol of a socket that is only written, and its peer.
local function with_socket(fn)
  aio.run(function()
    local ours, peer <close> = aio.socketpair()
    local wt, wp = aio.get_running_loop():connect_write_pipe(recorder, ours:detach())
    fn(wt, wp, peer)
    lu.assertEquals(wp.log, { "made", "lost" })
  end)
end

function T.TestConnect.test_a_socket_whose_reader_goes_away()
  with_socket(function(wt, wp, peer)
    wt:write "abc"
    lu.assertEquals(peer:recv(10), "abc")
    peer:close()
    lu.assertNil(wp.lost:await())
  end)
  with_socket(function(wt, wp, peer)
    wt:write(("x"):rep(4 << 20))
    peer:close()
    lu.assertNotNil(wp.lost:await().code)
  end)
end

-- As the reader of a log does.
function T.TestConnect.test_a_socket_whose_reader_never_writes()
  with_socket(function(wt, wp, peer)
    peer:shutdown "wr"
    for _ = 1, 3 do
      wt:write "abc"
      lu.assertEquals(peer:recv(10), "abc")
    end
    wt:close()
    lu.assertNil(wp.lost:await())
  end)
end

function T.TestConnect.test_a_pipe_whose_reader_goes_away()
  with_pipe(function(rt, _, _, wp)
    rt:close()
    lu.assertNil(wp.lost:await())
  end)
  with_pipe(function(rt, wt, rp, wp)
    rt:pause_reading()
    wt:write(("x"):rep(1000000))
    rt:close()
    rp.lost:await()
    lu.assertEquals(wp.lost:await().code, "EPIPE")
  end)
end

function T.TestConnect.test_wrong_pipes()
  aio.run(function()
    local loop = aio.get_running_loop()
    for _, method in ipairs { "connect_read_pipe", "connect_write_pipe" } do
      lu.assertErrorMsgContains("bad argument #2 to '" .. method .. "' (a descriptor", loop[method],
        loop, recorder, "x")
      lu.assertErrorMsgContains("bad argument #1 to '" .. method .. "'", loop[method], loop)
      local err = raised(aio.OSError, loop[method], loop, recorder, 999)
      lu.assertEquals(err.code, "EBADF")
    end
  end)
end

-- ---- servers ----

function T.TestServer.test_a_factory_that_fails_now_and_then()
  local n = 0
  local function make()
    n = n + 1
    if n == 1 then error("not yet", 0) end
    if n == 2 then return nil end
    return echo()
  end
  aio.run(function()
    local loop = aio.get_running_loop()
    local reports = reports_of(loop)
    local srv <close> = loop:create_server(make, "127.0.0.1", 0)
    for _ = 1, 2 do
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      lu.assertNil(conn:read(1))
    end
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("x")
    lu.assertEquals(conn:read(1), "X")
    lu.assertEquals(#reports, 2)
    lu.assertEquals(reports[1].exception, "not yet")
    lu.assertStrContains(reports[1].message, "protocol factory of a server failed for a connection "
      .. "from 127.0.0.1:")
    lu.assertEquals(reports[1].kind, "callback_error")
    lu.assertTrue(aio.is(reports[2].exception, aio.RuntimeError))
  end)
end

function T.TestServer.test_wait_closed_comes_after_connection_lost()
  for _, how in ipairs { "close_clients", "abort_clients" } do
    with_server(function(loop, srv, made)
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      wait_for(function() return made[1] and made[1].transport end)
      local log = made[1].log
      aio.create_task(function()
        srv:close()
        srv:wait_closed()
        log[#log + 1] = "closed"
      end)
      loop:call_soon(srv[how], srv)
      lu.assertNil(made[1].lost:await())
      wait_for(function() return log[3] end)
      lu.assertEquals(log, { "made", "lost", "closed" })
      lu.assertEquals(made[1].transport:get_extra_info "peername",
        conn:get_extra_info "sockname")
    end)
  end
end

function T.TestServer.test_at_most_so_many_connections()
  with_server(function(loop, srv, made)
    local first = loop:create_connection(recorder, "127.0.0.1", srv.port)
    local second = loop:create_connection(recorder, "127.0.0.1", srv.port)
    wait_for(function() return #made == 1 end)
    first:close()
    wait_for(function() return #made == 2 end)
    second:close()
    made[2].lost:await()
  end, nil, { max_connections = 1 })
end

-- ---- callbacks ----

function T.TestCallbacks.test_all_may_be_absent()
  aio.run(function()
    local loop = aio.get_running_loop()
    local srv <close> = loop:create_server(function() return {} end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write(("x"):rep(300000))
    conn:write_eof()
    lu.assertNil(conn:read(1))
  end)
end

function T.TestCallbacks.test_a_callback_cannot_wait()
  for _, name in ipairs { "connection_made", "data_received", "eof_received", "connection_lost",
    "pause_writing" } do
    local p
    with_server(function(loop, srv)
      local reports = reports_of(loop)
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      wait_for(function() return p and p.transport or #reports > 0 end)
      if name == "pause_writing" then p.transport:write(("x"):rep(streams.BIG)) end
      pcall(function()
        conn:write("data")
        conn:write_eof()
      end)
      wait_for(function() return #reports > 0 end)
      lu.assertStrContains(tostring(reports[1].exception), "a callback cannot wait")
      lu.assertTrue(rawequal(reports[1].protocol, p))
      lu.assertTrue(rawequal(reports[1].transport, p.transport or reports[1].transport))
      lu.assertStrContains(reports[1].message, "protocol." .. name .. "() failed")
      if p.transport then p.transport:abort() else reports[1].transport:abort() end
    end, function()
      p = recorder { [name] = function() aio.sleep(0) end }
      return p
    end)
  end
end

-- A task may write; what that pauses is a callback all the same.
function T.TestCallbacks.test_pause_writing_inside_a_task()
  with_server(function(loop, srv, made)
    local p = recorder()
    function p.pause_writing()
      p.task = aio.current_task()
      p.paused = (p.paused or 0) + 1
    end
    local resumed = aio.Future()
    function p.resume_writing() resumed:set_result() end
    local tr = loop:create_connection(function() return p end, "127.0.0.1", srv.port)
    wait_for(function() return made[1] and made[1].transport end)
    made[1].transport:pause_reading()
    made[1].data_received = nil
    tr:write(("x"):rep(streams.BIG))
    tr:writelines { "y", "z" }
    lu.assertEquals(p.paused, 1)
    lu.assertNil(p.task)
    lu.assertNotNil(aio.current_task())
    lu.assertTrue(tr:get_write_buffer_size() > streams.HIGH)
    made[1].transport:resume_reading()
    resumed:await()
    lu.assertTrue(tr:get_write_buffer_size() <= streams.HIGH / 4)
    tr:close()
    p.lost:await()
  end)
end

function T.TestCallbacks.test_errors_of_pause_and_resume_are_only_told()
  with_server(function(loop, srv, made)
    local reports = reports_of(loop)
    local p = recorder {
      pause_writing = function() error("pausing", 0) end,
      resume_writing = function() error("resuming", 0) end,
    }
    local tr = loop:create_connection(function() return p end, "127.0.0.1", srv.port)
    wait_for(function() return made[1] end)
    made[1].data_received = nil
    tr:write(("x"):rep(streams.BIG))
    wait_for(function() return #reports == 2 end)
    lu.assertEquals({ reports[1].exception, reports[2].exception }, { "pausing", "resuming" })
    lu.assertTrue(rawequal(reports[2].transport, tr))
    lu.assertEquals(reports[2].message, "protocol.resume_writing() failed")
    lu.assertFalse(tr:is_closing())
    tr:close()
    lu.assertNil(p.lost:await())
  end)
end

function T.TestCallbacks.test_system_exit_goes_through()
  for _, name in ipairs { "connection_made", "data_received", "pause_writing",
    "connection_lost" } do
    local ok, err = pcall(with_server, function(loop, srv)
      local p = recorder { [name] = function() error(aio.SystemExit(3)) end }
      local tr = loop:create_connection(function() return p end, "127.0.0.1", srv.port)
      tr:write("x")
      tr:write(("x"):rep(streams.BIG))
      if name == "connection_lost" then tr:abort() end
      p.lost:await() -- it is not told: the loop has ended
    end, echo)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.SystemExit), name)
  end
end

function T.TestCallbacks.test_an_object_with_methods()
  local Class = { seen = {} }
  Class.__index = Class
  function Class:data_received(data)
    self.seen[#self.seen + 1] = data
    self.tr:close()
  end
  function Class:connection_made(tr) self.tr = tr end
  with_server(function(_, srv)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("one")
    lu.assertNil(conn:read(1))
    lu.assertEquals(Class.seen, { "one" })
  end, function() return setmetatable({}, Class) end)
end

function T.TestCallbacks.test_they_run_in_the_context_of_the_connection()
  local var = aio.ContextVar("place")
  with_server(function(loop, srv)
    local seen = {}
    local p = recorder { data_received = function(_, data) seen[data] = var:get() end }
    local token = var:set("client")
    local tr = loop:create_connection(function() return p end, "127.0.0.1", srv.port)
    var:reset(token)
    tr:write("x")
    wait_for(function() return next(seen) end)
    lu.assertEquals(seen, { X = "client" })
    tr:close()
    p.lost:await()
  end, echo)
end

function T.TestCallbacks.test_set_protocol_refuses_what_is_none()
  with_server(function(loop, srv)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    for _, wrong in ipairs { "x", 1, true, io.stdout and coroutine.create(print) } do
      lu.assertErrorMsgContains("protocol (a table with callbacks) expected", tr.set_protocol, tr,
        wrong)
    end
    lu.assertErrorMsgContains("Transport expected", tr.get_protocol, {})
    lu.assertErrorMsgContains("Transport expected", tr.write, io.stdout, "x")
    tr:close()
    p.lost:await()
  end)
end

function T.TestCallbacks.test_a_protocol_that_is_replaced_while_it_is_called()
  with_server(function(loop, srv)
    local late = recorder()
    local tr = loop:create_connection(function()
      return { connection_made = function(self, t)
        t:set_protocol(late)
        self.done = true
      end }
    end, "127.0.0.1", srv.port)
    tr:close()
    late.lost:await()
    lu.assertEquals(late.log, { "lost" })
  end)
end

-- ---- reading ----

function T.TestCallbacks.test_a_paused_transport_takes_nothing_from_the_system()
  with_server(function(loop, srv, made)
    local tr = loop:create_connection(recorder, "127.0.0.1", srv.port)
    wait_for(function() return made[1] and made[1].transport end)
    local peer = made[1].transport
    peer:pause_reading()
    lu.assertFalse(peer:is_reading())
    tr:write(("x"):rep(streams.BIG))
    local left = streams.settled(function() return tr:get_write_buffer_size() end)
    lu.assertTrue(left > 0) -- nobody drains it
    lu.assertEquals(made[1].log, { "made" })
    local n = 0
    made[1].data_received = function(_, data) n = n + #data end
    peer:resume_reading()
    lu.assertTrue(peer:is_reading())
    wait_for(function() return n == streams.BIG end)
    tr:close()
    made[1].lost:await()
  end)
end

function T.TestCallbacks.test_the_end_waits_for_resume_reading()
  with_server(function(loop, srv, made)
    local tr = loop:create_connection(recorder, "127.0.0.1", srv.port)
    wait_for(function() return made[1] and made[1].transport end)
    made[1].transport:pause_reading()
    tr:write("last words")
    tr:close()
    streams.polled()
    lu.assertEquals(made[1].log, { "made" })
    made[1].transport:resume_reading()
    made[1].lost:await()
    lu.assertEquals(made[1].log, { "made", "data last words", "eof", "lost" })
  end)
end

function T.TestCallbacks.test_pausing_inside_data_received()
  with_server(function(loop, srv, made)
    local tr = loop:create_connection(recorder, "127.0.0.1", srv.port)
    wait_for(function() return made[1] and made[1].transport end)
    local parts = {}
    made[1].data_received = function(self, data)
      parts[#parts + 1] = data
      self.transport:pause_reading()
      loop:call_later(0.005, self.transport.resume_reading, self.transport)
    end
    tr:write("one")
    wait_for(function() return #parts == 1 end)
    tr:write("two")
    wait_for(function() return #parts == 2 end)
    lu.assertEquals(parts, { "one", "two" })
    tr:close()
    made[1].lost:await()
  end)
end

return T
