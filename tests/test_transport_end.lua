-- SPDX-License-Identifier: MIT
-- Transports of streams: how they end, and over TLS.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local protocols = require "support.protocols"
local streams = require "support.streams"

local recorder, echo, with_server = protocols.recorder, protocols.echo, protocols.with_server
local reports_of, wait_for = protocols.reports_of, protocols.wait_for
local raised = streams.raised

local T = { TestEnd = {}, TestTls = {} }

-- ---- the end ----

function T.TestEnd.test_a_reset_is_told()
  with_server(function(_, srv, made)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    wait_for(function() return made[1] and made[1].transport end)
    made[1].transport:write(("x"):rep(1 << 20)) -- the system takes more than a stream reads ahead
    streams.polled()
    conn:abort() -- with unread bytes: a reset
    local err = made[1].lost:await()
    lu.assertTrue(aio.is(err, aio.OSError))
    lu.assertEquals(err.code, "ECONNRESET")
    lu.assertEquals(made[1].log, { "made", "lost" })
  end)
end

function T.TestEnd.test_a_write_that_fails_ends_it()
  with_server(function(_, srv, made)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    wait_for(function() return made[1] and made[1].transport end)
    local tr = made[1].transport
    tr:pause_reading()
    conn:abort()
    streams.polled()
    for _ = 1, 3 do
      tr:write("x")
      streams.polled()
    end
    local err = made[1].lost:await()
    lu.assertTrue(aio.is(err, aio.OSError))
    lu.assertTrue(tr:is_closing())
    lu.assertEquals(made[1].log, { "made", "lost" })
  end)
end

function T.TestEnd.test_writes_to_a_lost_connection_are_warned_of_once()
  with_server(function(loop, srv)
    local reports = reports_of(loop)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    tr:close()
    for _ = 1, 4 do tr:write("x") end
    lu.assertEquals(#reports, 0)
    p.lost:await()
    for _ = 1, 4 do tr:write("x") end
    lu.assertEquals(#reports, 1)
    lu.assertEquals(reports[1].level, "warning")
    lu.assertEquals(reports[1].kind, "lost_write")
    lu.assertTrue(rawequal(reports[1].transport, tr))
  end)
end

function T.TestEnd.test_after_the_end_nothing_happens()
  with_server(function(loop, srv)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    tr:abort()
    p.lost:await()
    tr:close()
    tr:abort()
    tr:write_eof()
    tr:pause_reading()
    tr:resume_reading()
    tr:set_write_buffer_limits { high = 10 }
    lu.assertEquals({ tr:get_write_buffer_limits() }, { 2, 10 })
    lu.assertEquals(tr:get_write_buffer_size(), 0)
    lu.assertTrue(tr:is_closing())
    lu.assertFalse(tr:is_reading())
    lu.assertTrue(tr:can_write_eof())
    streams.polled()
    lu.assertEquals(p.log, { "made", "lost" })
  end)
end

function T.TestEnd.test_wrong_limits_and_data()
  with_server(function(loop, srv)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    lu.assertErrorMsgContains("'low' must not be above 'high'", tr.set_write_buffer_limits, tr,
      { low = 2, high = 1 })
    lu.assertErrorMsgContains("unknown option 'hi'", tr.set_write_buffer_limits, tr, { hi = 2 })
    lu.assertErrorMsgContains("string, number or list expected", tr.write, tr, print)
    lu.assertErrorMsgContains("table expected", tr.writelines, tr, "x")
    tr:close()
    p.lost:await()
  end)
end

-- The loop holds a transport as long as it is open, and not longer.
function T.TestEnd.test_who_holds_a_transport()
  with_server(function(loop, srv)
    local weak = setmetatable({}, { __mode = "k" })
    local lost = aio.Future()
    do
      local tr = loop:create_connection(function()
        return { connection_lost = function() lost:set_result() end,
          data_received = function(_, data) weak.data = data end }
      end, "127.0.0.1", srv.port)
      weak[tr] = true
      tr:write("x")
    end
    collectgarbage()
    collectgarbage()
    wait_for(function() return weak.data == "X" end)
    local tr = next(weak)
    if type(tr) ~= "userdata" then tr = next(weak, tr) end
    tr:close()
    tr = nil -- luacheck: ignore
    lost:await()
    weak.data = nil
    aio.sleep(0)
    collectgarbage()
    collectgarbage()
    lu.assertNil(next(weak))
  end, echo)
end

function T.TestEnd.test_a_loop_that_closes_closes_transports()
  local loop <close> = aio.new_event_loop()
  local log, tr
  loop:run_until_complete(function()
    local accepted, p
    local srv = loop:create_server(function()
      accepted = recorder()
      return accepted
    end, "127.0.0.1", 0)
    tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    log = p.log
    wait_for(function() return accepted end)
    srv:close()
  end)
  loop:close()
  lu.assertTrue(tr:is_closing())
  lu.assertEquals(log, { "made" })
  tr:write("x")
  tr:abort()
  tr:resume_reading()
end

function T.TestEnd.test_the_finalizer_by_hand()
  with_server(function(loop, srv)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    tr:close()
    p.lost:await()
    getmetatable(tr).__gc(tr)
    lu.assertTrue(tr:is_closing())
    tr:write("x")
    tr:close()
    tr:abort()
    tr:write_eof()
    tr:pause_reading()
    lu.assertFalse(tr:can_write_eof())
    tr:set_write_buffer_limits { high = 1 }
    lu.assertEquals({ tr:get_write_buffer_limits() }, { 0, 0 })
    lu.assertEquals(tr:get_write_buffer_size(), 0)
    lu.assertNil(tr:get_extra_info "fileno")
    lu.assertNotNil(tr:get_extra_info "peername")
  end)
end

function T.TestEnd.test_unclosed_ones_are_reported_in_debug_mode()
  local reports = {}
  local loop = aio.new_event_loop()
  loop:set_debug(true)
  loop.slow_callback_duration = 1e9 -- on a busy machine any step is slow
  loop:set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
  loop:run_until_complete(function()
    local accepted = aio.Event()
    local srv = aio.start_server(function(conn)
      conn:detach()
      accepted:set()
    end, "127.0.0.1", 0)
    loop:create_connection(recorder, "127.0.0.1", srv.port)
    accepted:wait()
    srv:close()
  end)
  loop:close()
  lu.assertTrue(#reports >= 1)
  lu.assertEquals(reports[1].kind, "unclosed")
  lu.assertStrContains(reports[1].message, "test_transport_end.lua:")
end

-- ---- files ----

-- A file of `n` bytes, "0123456789..."
local function file_of(n)
  local f = io.tmpfile()
  f:write(("0123456789"):rep(n // 10))
  f:flush()
  return f
end

local function collector()
  local self = recorder()
  self.parts = {}
  self.data_received = function(_, data) self.parts[#self.parts + 1] = data end
  return self
end

function T.TestEnd.test_a_file_is_sent_in_its_place()
  with_server(function(loop, srv, made)
    local f <close> = file_of(10000000)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    tr:write("before ")
    local sending = aio.create_task(loop.sendfile, loop, tr, f, 3, 9000000)
    aio.sleep(0)
    local err = raised(aio.RuntimeError, tr.write, tr, "x")
    lu.assertStrContains(err.message, "while a file is being sent")
    raised(aio.RuntimeError, loop.sendfile, loop, tr, f)
    lu.assertEquals(sending:await(), 9000000)
    lu.assertEquals(f:seek(), 9000003)
    lu.assertEquals(loop:sendfile(tr, f, 9999990), 10)
    lu.assertEquals(loop:sendfile(tr, f, 10000001), 0)
    tr:write(" after")
    tr:close()
    p.lost:await()
    made[1].lost:await()
    local all = table.concat(made[1].parts)
    lu.assertEquals(#all, 7 + 9000000 + 10 + 6)
    lu.assertEquals(all:sub(1, 12), "before 34567")
    lu.assertEquals(all:sub(-16), "0123456789 after")
    raised(aio.RuntimeError, loop.sendfile, loop, tr, f)
  end, collector)
end

function T.TestEnd.test_a_file_to_a_peer_that_goes_away()
  with_server(function(loop, srv)
    local f <close> = file_of(20000000)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    raised(aio.OSError, loop.sendfile, loop, tr, f)
    lu.assertTrue(aio.is(p.lost:await(), aio.OSError))
  end, function()
    return { data_received = function(self) self.tr:abort() end,
      connection_made = function(self, tr) self.tr = tr end }
  end)
end

function T.TestEnd.test_wrong_files()
  with_server(function(loop, srv)
    local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
    local f <close> = file_of(10)
    for text, args in pairs {
      ["bad argument #2 to 'sendfile' (io file, descriptor or object with"] = { "x" },
      ["bad argument #3 to 'sendfile' (offset"] = { f, -1 },
      ["bad argument #4 to 'sendfile' (count"] = { f, 0, 0 },
    } do
      lu.assertErrorMsgContains(text, loop.sendfile, loop, tr, table.unpack(args))
    end
    lu.assertErrorMsgContains("bad argument #1 to 'sendfile' (transport of a connection",
      loop.sendfile, loop, {}, f)
    tr:close()
    p.lost:await()
  end)
end

-- ---- TLS ----

if env.has_tls() then
  local tls = require "support.tls"

  function T.TestTls.test_over_tls()
    with_server(function(loop, srv, made)
      local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port,
        { ssl = tls.client(), server_hostname = "localhost" })
      lu.assertEquals(p.log, { "made" })
      lu.assertFalse(tr:can_write_eof())
      raised(aio.RuntimeError, tr.write_eof, tr)
      tr:write("hello")
      wait_for(function() return #p.log == 2 end)
      lu.assertEquals(p.log, { "made", "data HELLO" })
      lu.assertNotNil(tr:get_extra_info "cipher")
      lu.assertEquals(tr:get_extra_info "peername".port, srv.port)
      tr:close()
      lu.assertNil(p.lost:await())
      lu.assertNil(made[1].lost:await())
      lu.assertEquals(made[1].log, { "made", "eof", "lost" })
    end, echo, { ssl = tls.server() })
  end

  -- Over TLS the answer of eof_received keeps nothing open.
  function T.TestTls.test_the_end_closes_both_directions()
    with_server(function(loop, srv, made)
      local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port,
        { ssl = tls.client(), server_hostname = "localhost" })
      wait_for(function() return made[1] and made[1].transport end)
      made[1].eof_received = function() return true end
      tr:close()
      lu.assertNil(p.lost:await())
      lu.assertNil(made[1].lost:await())
    end, nil, { ssl = tls.server() })
  end

  function T.TestTls.test_much_data_both_ways()
    with_server(function(loop, srv)
      local n, all = 0, aio.Future()
      local p = recorder { data_received = function(_, data)
        n = n + #data
        if n == streams.BIG then all:set_result() end
      end }
      local tr = loop:create_connection(function() return p end, "127.0.0.1", srv.port,
        { ssl = tls.client(), server_hostname = "localhost" })
      tr:write(("x"):rep(streams.BIG))
      all:await()
      tr:close()
      p.lost:await()
    end, echo, { ssl = tls.server() })
  end

  function T.TestTls.test_a_handshake_that_fails()
    with_server(function(loop, srv, made)
      local reports = reports_of(loop)
      raised(aio.SSLCertVerificationError, loop.create_connection, loop, recorder, "127.0.0.1",
        srv.port, { ssl = true })
      wait_for(function() return #reports == 1 end)
      lu.assertStrContains(reports[1].message, "TLS handshake of a connection from 127.0.0.1:")
      lu.assertEquals(made[1].log, {}) -- it was made, and never connected
      local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port,
        { ssl = tls.client(), server_hostname = "localhost" })
      tr:close()
      p.lost:await()
    end, echo, { ssl = tls.server() })
  end

  -- A server whose protocol goes over to TLS when it is told to.
  local function upgrading(loop, failed)
    local p
    p = recorder { data_received = function(self, data)
      if data ~= "STARTTLS" then return self.transport:write(data:upper()) end
      self.transport:pause_reading()
      self.transport:write("OK")
      aio.create_task(function()
        local ok, err = pcall(loop.start_tls, loop, self.transport, p, tls.server(),
          { server_side = true })
        if not ok then failed:set_result(err) end
      end)
    end }
    return p
  end

  function T.TestTls.test_start_tls()
    aio.run(function()
      local loop = aio.get_running_loop()
      local srv <close> = loop:create_server(function() return upgrading(loop) end, "127.0.0.1", 0)
      local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
      tr:write("STARTTLS")
      wait_for(function() return #p.log == 2 end)
      local second = recorder()
      local new = loop:start_tls(tr, second, tls.client(), { server_hostname = "localhost" })
      lu.assertTrue(rawequal(new, tr))
      lu.assertTrue(rawequal(tr:get_protocol(), second))
      lu.assertNotNil(tr:get_extra_info "cipher")
      tr:write("secret")
      wait_for(function() return #second.log == 1 end)
      lu.assertEquals(second.log, { "data SECRET" })
      tr:close()
      lu.assertNil(second.lost:await())
      lu.assertEquals(p.log, { "made", "data OK" })
    end)
  end

  function T.TestTls.test_start_tls_that_fails()
    aio.run(function()
      local loop, failed = aio.get_running_loop(), aio.Future()
      local srv <close> = loop:create_server(function() return upgrading(loop, failed) end,
        "127.0.0.1", 0)
      local tr, p = loop:create_connection(recorder, "127.0.0.1", srv.port)
      tr:write("STARTTLS")
      wait_for(function() return #p.log == 2 end)
      lu.assertErrorMsgContains("bad argument #3 to 'start_tls'", loop.start_tls, loop, tr, {}, 1)
      lu.assertIs(tr:get_protocol(), p) -- nothing has begun
      raised(aio.SSLCertVerificationError, loop.start_tls, loop, tr, p, true,
        { server_hostname = "localhost" })
      lu.assertTrue(aio.is(p.lost:await(), aio.SSLError))
      lu.assertTrue(aio.is(failed:await(), aio.SSLError))
      lu.assertErrorMsgContains("bad argument #1 to 'start_tls' (transport of a connection",
        loop.start_tls, loop, {}, p, true)
      lu.assertErrorMsgContains("bad argument #2 to 'start_tls' (protocol",
        loop.start_tls, loop, tr)
    end)
  end
end

return T
