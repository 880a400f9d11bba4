-- SPDX-License-Identifier: MIT
-- Transports of datagram endpoints; the order of their callbacks is in x_transport_datagram.

local lu = require "luaunit"
local aio = require "aio"
local datagrams = require "support.datagrams"
local protocols = require "support.protocols"
local streams = require "support.streams"

local raised = streams.raised

local reports_of, wait_for = protocols.reports_of, protocols.wait_for

local FLOOD = 2000 -- more datagrams than the system holds

local T = {}

-- A protocol that notes its callbacks.
local function recorder(more)
  local self = { log = {}, errors = {}, lost = aio.Future() }
  function self.connection_made(_, tr) self.transport = tr end
  function self.datagram_received(_, data, addr)
    self.log[#self.log + 1], self.from = data, addr
  end
  function self.error_received(_, err) self.errors[#self.errors + 1] = err end
  function self.connection_lost(_, err)
    self.ends = (self.ends or 0) + 1
    self.lost:set_result(err)
  end
  for key, value in pairs(more or {}) do self[key] = value end
  return self
end

-- Calls fn(loop, server, client), two protocols with their transports.
local function with_pair(fn, server_more, client_more)
  aio.run(function()
    local loop = aio.get_running_loop()
    local st, sp = loop:create_datagram_endpoint(function() return recorder(server_more) end,
      { local_addr = { "127.0.0.1", 0 } })
    local ct, cp = loop:create_datagram_endpoint(function() return recorder(client_more) end,
      { remote_addr = st:get_extra_info "sockname" })
    fn(loop, sp, cp)
    for _, p in ipairs { sp, cp } do
      p.transport:close()
      lu.assertNil(p.lost:await())
    end
    aio.sleep(0)
    lu.assertEquals({ sp.ends, cp.ends }, { 1, 1 })
    lu.assertTrue(ct:is_closing())
  end)
end

function T.test_there_and_back()
  with_pair(function(_, server, client)
    client.transport:sendto("hello")
    client.transport:sendto("")
    client.transport:sendto(7)
    wait_for(function() return #server.log == 3 end)
    lu.assertEquals(server.log, { "hello", "", "7" })
    lu.assertEquals(server.from, client.transport:get_extra_info "sockname")
    server.transport:sendto("back", server.from)
    wait_for(function() return #client.log == 1 end)
    lu.assertEquals(client.log, { "back" })
    lu.assertStrMatches(tostring(client.transport), "DatagramTransport %(open%): 0x%x+")
    lu.assertEquals(math.type(client.transport:get_extra_info "fileno"), "integer")
    lu.assertNil(server.transport:get_extra_info "peername")
    lu.assertEquals(server.transport:get_extra_info("peername", 1), 1)
    lu.assertTrue(rawequal(client.transport:get_protocol(), client))
  end)
end

function T.test_after_the_end()
  with_pair(function(loop, server, client)
    local reports = reports_of(loop)
    local tr, name = client.transport, client.transport:get_extra_info "peername"
    tr:close()
    tr:close()
    for _ = 1, 6 do tr:sendto("late") end
    tr:abort()
    client.lost:await()
    lu.assertEquals(tr:get_extra_info "peername", name)
    lu.assertNil(tr:get_extra_info "fileno")
    lu.assertEquals(#reports, 1)
    lu.assertEquals(reports[1].kind, "lost_write")
    lu.assertStrMatches(tostring(tr), "DatagramTransport %(closed%): 0x%x+")
    tr:set_write_buffer_limits { high = 8 }
    lu.assertEquals({ tr:get_write_buffer_limits() }, { 2, 8 })
    lu.assertEquals(tr:get_write_buffer_size(), 0)
    streams.polled()
    lu.assertEquals(server.log, {})
  end)
end

function T.test_errors_of_callbacks_are_only_told()
  for _, name in ipairs { "connection_made", "datagram_received" } do
    local reports
    aio.run(function()
      local loop = aio.get_running_loop()
      reports = reports_of(loop)
      local p = recorder { [name] = function() error("oops", 0) end }
      local tr = loop:create_datagram_endpoint(function() return p end,
        { local_addr = { "127.0.0.1", 0 } })
      tr:sendto("x", tr:get_extra_info "sockname")
      wait_for(function() return #reports == 1 end)
      lu.assertEquals(reports[1].exception, "oops")
      lu.assertEquals(reports[1].message, "protocol." .. name .. "() failed")
      lu.assertTrue(rawequal(reports[1].transport, tr))
      lu.assertTrue(rawequal(reports[1].protocol, p))
      lu.assertFalse(tr:is_closing())
      tr:abort()
      p.lost:await()
    end)
  end
end

function T.test_errors_of_the_last_callbacks_too()
  for _, name in ipairs { "error_received", "connection_lost" } do
    aio.run(function()
      local loop = aio.get_running_loop()
      local reports = reports_of(loop)
      local gone <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
      local p = recorder {}
      local fn = p[name]
      p[name] = function(...)
        fn(...)
        error("oops", 0)
      end
      local tr = loop:create_datagram_endpoint(function() return p end,
        { remote_addr = gone:get_extra_info "sockname" })
      gone:close()
      tr:sendto "x" -- to nobody
      wait_for(function() return name ~= "error_received" or #reports == 1 end)
      lu.assertFalse(tr:is_closing())
      tr:abort()
      p.lost:await()
      wait_for(function() return #reports == 1 end)
      lu.assertEquals(reports[1].exception, "oops")
      lu.assertEquals(reports[1].message, "protocol." .. name .. "() failed")
    end)
  end
end

function T.test_a_callback_cannot_wait()
  with_pair(function(loop, _, client)
    local reports = reports_of(loop)
    client.transport:sendto("x")
    wait_for(function() return #reports == 1 end)
    lu.assertStrContains(tostring(reports[1].exception), "a callback cannot wait")
  end, { datagram_received = function() aio.sleep(1) end })
end

function T.test_a_datagram_that_is_too_long()
  with_pair(function(_, server, client)
    client.transport:sendto(("x"):rep(70000))
    lu.assertEquals(#client.errors, 1) -- at once
    lu.assertEquals(client.errors[1].code, "EMSGSIZE")
    client.transport:sendto("short")
    wait_for(function() return #server.log == 1 end)
  end)
end

function T.test_all_may_be_absent()
  aio.run(function()
    local loop = aio.get_running_loop()
    local st = loop:create_datagram_endpoint(function() return {} end,
      { local_addr = { "127.0.0.1", 0 } })
    st:sendto("x", st:get_extra_info "sockname")
    st:sendto(("x"):rep(70000), st:get_extra_info "sockname")
    streams.polled()
    local p = recorder()
    st:set_protocol(p)
    st:sendto("y", st:get_extra_info "sockname")
    wait_for(function() return p.log[#p.log] == "y" end) -- on a slow machine behind the first
    st:close()
    p.lost:await()
  end)
end

function T.test_wrong_arguments()
  with_pair(function(loop, server, client)
    local st, ct = server.transport, client.transport
    lu.assertErrorMsgContains("address expected, since this endpoint has no remote_addr", st.sendto,
      st, "x")
    lu.assertErrorMsgContains("address {host=, port=} in digits", st.sendto, st, "x", { "a.b", 1 })
    lu.assertErrorMsgContains("another remote_addr", ct.sendto, ct, "x", { "127.0.0.1", 9 })
    lu.assertErrorMsgContains("string or number expected", ct.sendto, ct, {})
    lu.assertErrorMsgContains("DatagramTransport expected", ct.sendto, {}, "x")
    lu.assertErrorMsgContains("'low' must not be above", ct.set_write_buffer_limits, ct,
      { low = 2, high = 1 })
    lu.assertErrorMsgContains("bad argument #1 to 'create_datagram_endpoint'",
      loop.create_datagram_endpoint, loop)
    lu.assertErrorMsgContains("bad argument #2 to 'create_datagram_endpoint' (unknown option",
      loop.create_datagram_endpoint, loop, recorder, { limit = 1 })
    local err = raised(aio.RuntimeError, loop.create_datagram_endpoint, loop, function() end)
    lu.assertStrContains(err.message, "must return it")
    err = raised(aio.OSError, loop.create_datagram_endpoint, loop, recorder,
      { local_addr = st:get_extra_info "sockname" })
    lu.assertEquals(err.code, "EADDRINUSE")
  end)
end

-- What the system does not take waits in the transport, which tells its protocol.
local function flood(fn)
  lu.skipIf(datagrams.over_uv(), "this system has no Unix datagram sockets")
  local path = os.tmpname()
  os.remove(path)
  aio.run(function()
    local loop = aio.get_running_loop()
    local server <close> = aio.open_datagram { local_addr = path }
    local log = {}
    local p = recorder {
      pause_writing = function() log[#log + 1] = "pause" end,
      resume_writing = function() log[#log + 1] = "resume" end,
    }
    local tr = loop:create_datagram_endpoint(function() return p end, { remote_addr = path })
    tr:set_write_buffer_limits { high = 100, low = 50 }
    local n = 0
    for _ = 1, FLOOD do tr:sendto("0123456789") end
    lu.assertEquals(log, { "pause" })
    lu.assertTrue(tr:get_write_buffer_size() > 100)
    fn(tr, p, log, function(count)
      for _ = 1, count do
        lu.assertEquals((server:recv()), "0123456789")
        n = n + 1
      end
      return n
    end)
  end)
end

function T.test_what_cannot_be_sent_waits()
  flood(function(tr, p, log, receive)
    receive(FLOOD)
    lu.assertEquals(log, { "pause", "resume" })
    lu.assertEquals(tr:get_write_buffer_size(), 0)
    tr:close()
    p.lost:await()
    lu.assertEquals(p.errors, {})
  end)
end

function T.test_close_sends_what_waits()
  flood(function(tr, p, log, receive)
    tr:close()
    lu.assertTrue(tr:is_closing())
    lu.assertFalse(p.lost:done())
    receive(FLOOD)
    lu.assertNil(p.lost:await())
    lu.assertEquals(log, { "pause", "resume" })
  end)
end

function T.test_abort_drops_what_waits()
  flood(function(tr, p, log)
    tr:abort()
    lu.assertNil(p.lost:await())
    lu.assertEquals(tr:get_write_buffer_size(), 0)
    lu.assertEquals(log, { "pause" })
  end)
end

function T.test_a_loop_that_closes_closes_transports()
  local loop = aio.new_event_loop()
  local tr = loop:run_until_complete(function()
    return (loop:create_datagram_endpoint(function() return {} end))
  end)
  loop:close()
  lu.assertTrue(tr:is_closing())
  tr:sendto("x", { "127.0.0.1", 9 })
  tr:abort()
  getmetatable(tr).__gc(tr)
  lu.assertTrue(tr:is_closing())
  lu.assertEquals(tr:get_write_buffer_size(), 0)
  tr:sendto("x", { "127.0.0.1", 9 })
  tr:close()
  tr:abort()
  lu.assertNil(tr:get_extra_info "fileno")
end

return T
