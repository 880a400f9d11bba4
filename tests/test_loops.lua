-- SPDX-License-Identifier: MIT
-- Two loops that live at the same time, in turns: what belongs to one says so to a task of the
-- other one, and is neither harmed by it nor harms it.

local lu = require "luaunit"
local aio = require "aio"
local core = require "aio.core"
local hc = require "aio.http.core"

local T = {}

-- Runs fn(...) as a task of the loop and returns its results.
local function within(loop, fn, ...)
  return loop:run_until_complete(loop:create_task(fn, ...))
end

-- Two loops; in `a` there are a connection, its peer, and what else is made for it.
local function two(body)
  local a, b = aio.new_event_loop(), aio.new_event_loop()
  local all = within(a, function()
    local got = a:create_future()
    local server = aio.start_server(function(peer) got:set_result(peer:detach()) end,
      "127.0.0.1", 0)
    local conn = aio.open_connection("127.0.0.1", server.port)
    return { server = server, conn = conn, peer = got:await() }
  end)
  local ok, err = pcall(body, a, b, all)
  within(a, function()
    for _, conn in ipairs { all.conn, all.peer } do conn:abort() end
    all.server:close()
  end)
  a:close()
  b:close()
  if not ok then error(err, 0) end
end

-- fn raises that its object is another loop's, when a task of `b` calls it.
local function refused(b, fn, ...)
  local ok, err = within(b, pcall, fn, ...)
  lu.assertFalse(ok)
  lu.assertTrue(core.is(err, aio.RuntimeError), tostring(err))
  lu.assertStrContains(err.message, "belongs to another loop")
end

local function parser()
  local p = hc.parser "response"
  p:begin "GET"
  return p
end

function T.test_a_stream_is_not_read_in_another_loop()
  two(function(a, b, all)
    local conn = all.conn
    for _, how in ipairs { 10, "a", "l", "L" } do refused(b, conn.read, conn, how) end
    refused(b, conn.readline, conn)
    refused(b, conn.readexactly, conn, 3)
    refused(b, conn.readuntil, conn, "x")
    refused(b, core._read, conn, 10, 5)
    refused(b, core._feed, conn, parser())
    refused(b, core._feed, conn, parser(), 5)
    refused(b, aio.select, { { conn, "read", 1 } })
    within(a, function()
      all.peer:write "hello"
      lu.assertEquals(conn:read(10), "hello")
    end)
  end)
end

function T.test_a_stream_does_not_wait_for_writing_in_another_loop()
  two(function(a, b, all)
    local conn, much = all.conn, ("x"):rep(10 << 20)
    refused(b, conn.write, conn, much)
    refused(b, conn.writelines, conn, { much })
    within(a, function() conn:write_nowait(much) end)
    refused(b, conn.drain, conn)
    refused(b, core._drain, conn, 5)
    conn:close()
    refused(b, conn.wait_closed, conn)
    within(a, function() lu.assertEquals(#all.peer:read "a", #much) end)
  end)
end

function T.test_a_block_in_another_loop_closes_a_stream_without_waiting()
  two(function(a, b, all)
    local much = ("x"):rep(10 << 20)
    within(a, function() all.conn:write_nowait(much) end)
    within(b, function() local _ <close> = all.conn end)
    lu.assertTrue(all.conn:is_closing())
    within(a, function()
      lu.assertEquals(#all.peer:read "a", #much)
      all.conn:wait_closed()
    end)
  end)
end

function T.test_a_file_is_not_sent_in_another_loop()
  two(function(_, b, all)
    local file <close> = assert(io.tmpfile())
    file:write(("x"):rep(1000))
    file:seek "set"
    refused(b, all.conn.sendfile, all.conn, file)
  end)
end

function T.test_tls_does_not_start_in_another_loop()
  two(function(_, b, all)
    refused(b, all.conn.start_tls, all.conn, aio.ssl_context { verify = false })
  end)
end

function T.test_a_server_is_not_waited_for_in_another_loop()
  two(function(_, b, all)
    all.server:close()
    refused(b, all.server.wait_closed, all.server)
  end)
end

function T.test_a_datagram_endpoint_receives_in_its_loop()
  local a, b = aio.new_event_loop(), aio.new_event_loop()
  local socket = within(a, aio.open_datagram, { local_addr = { host = "127.0.0.1", port = 0 } })
  refused(b, socket.recv, socket)
  refused(b, aio.select, { { socket, "recv" } })
  within(a, function()
    socket:send("x", socket:get_extra_info "sockname")
    lu.assertEquals(socket:recv(), "x")
    socket:close()
  end)
  a:close()
  b:close()
end

-- ---- executors: each loop hears of the workers' ends ----

local function turns_of(loop, n)
  within(loop, function() for _ = 1, n do aio.sleep(0) end end)
end

-- Two tasks, one in each loop, that wait for the end of an executor with a busy worker; and what
-- lets that go.
local function two_wait(a, b)
  local executor, gate = aio.Executor { max_workers = 1 }, aio.Channel(1)
  within(a, function() executor:submit(function(ch) ch:recv() end, gate) end)
  local function wait(loop)
    executor:shutdown {}
    return aio.get_running_loop() == loop
  end
  local ta, tb = a:create_task(wait, a), b:create_task(wait, b)
  turns_of(a, 3)
  turns_of(b, 3)
  lu.assertFalse(ta:done() or tb:done())
  return ta, tb, function() gate:send_nowait "go" end
end

function T.test_two_loops_wait_for_the_end_of_an_executor()
  for first = 1, 2 do
    local a, b = aio.new_event_loop(), aio.new_event_loop()
    local ta, tb, go = two_wait(a, b)
    go()
    local order = first == 1 and { { a, ta }, { b, tb } } or { { b, tb }, { a, ta } }
    for _, each in ipairs(order) do
      lu.assertTrue(each[1]:run_until_complete(each[2]))
    end
    for _, loop in ipairs { a, b } do -- none believes that somebody could still wake it
      local ok, err = pcall(within, loop, function() aio.Event():wait() end)
      lu.assertFalse(ok)
      lu.assertStrContains(tostring(err), "nothing can")
      loop:close()
    end
  end
end

function T.test_a_closed_loop_does_not_hear_of_the_end_of_an_executor()
  local a, b = aio.new_event_loop(), aio.new_event_loop()
  local _, tb, go = two_wait(a, b)
  a:set_exception_handler(function() end) -- which would hear that a task of it was pending
  a:close()
  go()
  lu.assertTrue(b:run_until_complete(tb))
  b:close()
end

return T
