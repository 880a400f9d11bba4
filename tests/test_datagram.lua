-- SPDX-License-Identifier: MIT
-- Datagram endpoints: UDP, errors of the network, the bounded queue, options.

local lu = require "luaunit"
local aio = require "aio"
local core = require "aio.core"
local datagrams = require "support.datagrams"
local streams = require "support.streams"

local raised, turns = streams.raised, streams.turns

local LOCAL = { "127.0.0.1", 0 }
local FLOOD = 2000 -- more datagrams than any queue here holds
local NOT_MINE = "192.0.2.77" -- an address for documentation

local UV = datagrams.over_uv() -- counts no drops, and its groups are others

local T = { TestUdp = {}, TestArguments = {} }

local function name_of(d) return d:get_extra_info "sockname" end

-- Calls fn(server, client): an endpoint and one that is connected to it.
local function with_pair(fn, opts)
  opts = opts or {}
  opts.local_addr = LOCAL
  local server <close> = aio.open_datagram(opts)
  local client <close> = aio.open_datagram { remote_addr = name_of(server) }
  fn(server, client)
end

-- A port at which nobody is.
local function closed_port()
  local d <close> = aio.open_datagram { local_addr = LOCAL }
  return name_of(d).port
end

-- How many datagrams are there now.
local function drain(d)
  local n = 0
  return streams.settled(function()
    while aio.select { { d, "recv" }, { sleep = 0 } } == 1 do n = n + 1 end
    return n
  end)
end

-- ---- sending and receiving ----

function T.TestUdp.test_there_and_back()
  aio.run(with_pair, function(server, client)
    client:send("hello")
    local data, from = server:recv()
    lu.assertEquals(data, "hello")
    lu.assertEquals(from, name_of(client))
    server:send("back", from)
    data, from = client:recv()
    lu.assertEquals(data, "back")
    lu.assertEquals(from, name_of(server))
    lu.assertEquals(client:get_extra_info "peername", name_of(server))
    lu.assertNil(server:get_extra_info "peername")
    lu.assertEquals(math.type(server:get_extra_info "fileno"), "integer")
    lu.assertEquals(server:get_extra_info("nothing", "default"), "default")
    lu.assertStrContains(tostring(server), "Datagram (open)")
  end)
end

function T.TestUdp.test_what_is_in_a_datagram_stays_together()
  aio.run(with_pair, function(server, client)
    local list = { "", "a\0b", ("x"):rep(65507), "", "last" }
    for _, data in ipairs(list) do client:send(data) end
    for _, data in ipairs(list) do
      local got = server:recv()
      lu.assertTrue(got == data, #got)
    end
    client:send(42)
    lu.assertEquals(server:recv(), "42")
  end)
end

function T.TestUdp.test_more_than_one_batch_comes_in_order()
  aio.run(with_pair, function(server, client)
    for i = 1, 50 do client:send(tostring(i)) end
    for i = 1, 50 do lu.assertEquals(server:recv(), tostring(i)) end
  end)
end

function T.TestUdp.test_addresses_in_both_forms()
  aio.run(with_pair, function(server)
    local other <close> = aio.open_datagram()
    local at = name_of(server)
    other:send("one", at)
    other:send("two", { at.host, at.port })
    lu.assertEquals({ (server:recv()), (server:recv()) }, { "one", "two" })
  end)
end

function T.TestUdp.test_ipv6()
  aio.run(function()
    local server <close> = aio.open_datagram { local_addr = { "::1", 0 } }
    local client <close> = aio.open_datagram { remote_addr = name_of(server) }
    client:send("six")
    local data, from = server:recv()
    lu.assertEquals({ data, from.host }, { "six", "::1" })
    local any <close> = aio.open_datagram { family = "inet6" }
    lu.assertEquals(name_of(any).host, "::")
    any:send("again", name_of(server))
    lu.assertEquals(server:recv(), "again")
  end)
end

function T.TestUdp.test_a_connected_endpoint_hears_its_peer_only()
  aio.run(with_pair, function(server, client)
    local stranger <close> = aio.open_datagram()
    stranger:send("not for you", name_of(client))
    client:send("hello")
    local _, from = server:recv()
    server:send("for you", from)
    lu.assertEquals(client:recv(), "for you")
  end)
end

function T.TestUdp.test_datagrams()
  aio.run(with_pair, function(server, client)
    local seen = {}
    for i = 1, 3 do client:send("n" .. i) end
    for data, from in server:datagrams() do
      seen[#seen + 1] = data
      lu.assertEquals(from, name_of(client))
      if #seen == 3 then server:close() end
    end
    lu.assertEquals(seen, { "n1", "n2", "n3" })
    for _ in server:datagrams() do lu.fail("it is closed") end
  end)
end

function T.TestUdp.test_outside_a_task()
  local loop <close> = aio.new_event_loop()
  aio.set_event_loop(loop)
  local _ <close> = aio.defer(aio.set_event_loop, nil)
  local d <close> = aio.open_datagram { local_addr = LOCAL }
  d:send("to myself", name_of(d))
  raised(aio.RuntimeError, d.recv, d)
  lu.assertEquals(loop:run_until_complete(function() return (d:recv()) end), "to myself")
end

-- ---- errors of the network ----

function T.TestUdp.test_a_refused_datagram_is_told_to_the_receiver()
  aio.run(function()
    local d <close> = aio.open_datagram { remote_addr = { "127.0.0.1", closed_port() } }
    local t = aio.create_task(d.recv, d)
    aio.sleep(0)
    for _ = 1, 3 do -- the endpoint lives on
      d:send("x")
      local err = raised(aio.OSError, t.await, t)
      lu.assertEquals({ err.code, err.syscall }, { "ECONNREFUSED", "recv" })
      t = aio.create_task(d.recv, d)
      aio.sleep(0)
    end
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    lu.assertFalse(d:is_closing())
  end)
end

function T.TestUdp.test_a_refused_datagram_is_told_to_the_sender()
  aio.run(function()
    local d <close> = aio.open_datagram { remote_addr = { "127.0.0.1", closed_port() } }
    d:send("x")
    lu.assertEquals(raised(aio.OSError, d.send, d, "y").code, "ECONNREFUSED")
    d:send("z") -- it is told once
    streams.polled() -- now the loop has seen it
    lu.assertEquals(raised(aio.OSError, d.send, d, "y").code, "ECONNREFUSED")
  end)
end

function T.TestUdp.test_what_was_received_comes_before_the_error()
  aio.run(function()
    local server = aio.open_datagram { local_addr = LOCAL }
    local client <close> = aio.open_datagram { remote_addr = name_of(server) }
    client:send("x")
    local _, from = server:recv()
    server:send("answer", from)
    streams.polled()
    server:close()
    client:send("y")
    streams.polled()
    lu.assertEquals(client:recv(), "answer")
    lu.assertEquals(raised(aio.OSError, client.recv, client).code, "ECONNREFUSED")
  end)
end

function T.TestUdp.test_too_large()
  aio.run(with_pair, function(server, client)
    local err = raised(aio.OSError, client.send, client, ("x"):rep(65508))
    lu.assertEquals(err.code, "EMSGSIZE")
    lu.assertStrContains(err.message, "a datagram of 65508 bytes is too long")
    err = raised(aio.OSError, server.send, server, ("x"):rep(100000), name_of(client))
    lu.assertEquals({ err.code, err.address }, { "EMSGSIZE", name_of(client) })
    client:send("on")
    lu.assertEquals(server:recv(), "on")
  end)
end

function T.TestUdp.test_broadcast()
  aio.run(function()
    local d <close> = aio.open_datagram { local_addr = { "0.0.0.0", 0 }, broadcast = true }
    local port = name_of(d).port
    d:send("to all", { "127.255.255.255", port })
    lu.assertEquals(d:recv(), "to all")
    local not_allowed <close> = aio.open_datagram()
    local err = raised(aio.OSError, not_allowed.send, not_allowed, "x",
      { "127.255.255.255", port })
    lu.assertEquals(err.code, "EACCES")
  end)
end

-- ---- the queue ----

function T.TestUdp.test_the_queue_is_bounded_and_drops_are_counted()
  lu.skipIf(UV, "this system does not count drops")
  aio.run(with_pair, function(server, client)
    for _ = 1, FLOOD do client:send(("x"):rep(2000)) end
    while server:dropped() == 0 do aio.sleep(0) end
    local got = drain(server)
    lu.assertTrue(got >= 2)
    lu.assertEquals(got + server:dropped(), FLOOD)
    client:send("on")
    lu.assertEquals(server:recv(), "on")
    local dropped = server:dropped()
    server:close()
    lu.assertEquals(server:dropped(), dropped)
    lu.assertEquals(client:dropped(), 0)
  end, { queue = 2 })
end

function T.TestUdp.test_reading_goes_on_after_a_full_queue()
  aio.run(with_pair, function(server, client)
    for round = 1, 20 do
      for i = 1, 5 do client:send(round .. " " .. i) end
      aio.sleep(0)
      for i = 1, 5 do lu.assertEquals(server:recv(), round .. " " .. i) end
    end
  end, { queue = 1 })
end

-- ---- waiting ----

function T.TestUdp.test_a_cancelled_receive_loses_nothing()
  aio.run(with_pair, function(server, client)
    local t = aio.create_task(server.recv, server)
    aio.sleep(0)
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    raised(aio.TimeoutError, aio.timeout, 0.001, server.recv, server)
    t = aio.create_task(server.recv, server)
    aio.sleep(0)
    client:send("x")
    t:cancel() -- perhaps the datagram is on its way to it
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    lu.assertEquals(server:recv(), "x")
  end)
end

-- A sender gives way now and then: before it sends, not after.
function T.TestUdp.test_a_cancelled_send_has_not_sent()
  aio.run(with_pair, function(server, client)
    local sent = 0
    local t = aio.create_task(function()
      while true do
        client:send("x")
        sent = sent + 1
      end
    end)
    aio.sleep(0)
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    lu.assertTrue(sent > 0)
    lu.assertEquals(drain(server) + server:dropped(), sent)
  end, { queue = 1000 })
end

function T.TestUdp.test_one_receiver_at_a_time()
  aio.run(with_pair, function(server, client)
    local t = aio.create_task(server.recv, server)
    aio.sleep(0)
    local err = raised(aio.RuntimeError, function() server:recv() end)
    lu.assertStrContains(err.message, "another task receives")
    lu.assertStrContains(err.where, "test_datagram.lua:")
    err = raised(aio.RuntimeError, aio.select, { { server, "recv" }, { sleep = 1 } })
    lu.assertStrContains(err.message, "receives from")
    client:send("x")
    lu.assertEquals(t:await(), "x")
  end)
end

function T.TestUdp.test_closing_with_waiters()
  aio.run(with_pair, function(server)
    local t = aio.create_task(server.recv, server)
    local chosen = aio.create_task(function()
      local d <close> = aio.open_datagram { local_addr = LOCAL }
      aio.create_task(function() d:close() end)
      return table.pack(aio.select { { d, "recv" }, { sleep = 60 } })
    end)
    turns(2)
    server:close()
    server:close()
    lu.assertEquals(table.pack(t:await()), { n = 1 })
    lu.assertEquals(chosen:await(), { n = 2, 1 })
    lu.assertTrue(server:is_closing())
    lu.assertStrContains(tostring(server), "closed")
    lu.assertNil(server:get_extra_info "sockname")
    for _, method in ipairs { "recv", "send", "join_group" } do
      local err = raised(aio.RuntimeError, server[method], server, "239.1.2.3", LOCAL)
      lu.assertStrContains(err.message, "closed")
    end
    raised(aio.RuntimeError, aio.select, { { server, "recv" } })
  end)
end

function T.TestUdp.test_select()
  aio.run(with_pair, function(server, client)
    local queue = aio.Queue()
    lu.assertEquals({ aio.select { { server, "recv" }, { sleep = 0 } } }, { 2 })
    client:send("x")
    local which, data, from = aio.select { { queue, "get" }, { server, "recv" } }
    lu.assertEquals({ which, data, from }, { 2, "x", name_of(client) })
    queue:put_nowait("item")
    client:send("y")
    lu.assertEquals({ aio.select { { queue, "get" }, { server, "recv" } } }, { 1, "item" })
    lu.assertEquals(server:recv(), "y") -- it was left alone
    lu.assertErrorMsgContains("'send' cannot be waited for", aio.select, { { server, "send" } })
  end)
end

function T.TestUdp.test_an_error_in_select()
  aio.run(function()
    local d <close> = aio.open_datagram { remote_addr = { "127.0.0.1", closed_port() } }
    d:send("x")
    local err = raised(aio.OSError, aio.select, { { d, "recv" }, { sleep = 60 } })
    lu.assertEquals(err.code, "ECONNREFUSED")
  end)
end

function T.TestUdp.test_a_sender_gives_way()
  aio.run(with_pair, function(_, client)
    local other = false
    aio.create_task(function() other = true end)
    for _ = 1, 300 do client:send("x") end
    lu.assertTrue(other)
  end)
end

function T.TestUdp.test_a_receiver_gives_way()
  aio.run(with_pair, function(server)
    local count, stop = 0, false
    aio.create_task(function()
      while not stop do
        server:send("x", name_of(server))
        server:recv()
        count = count + 1
      end
    end)
    turns(1000) -- would not end if the other never let go
    stop = true
    lu.assertTrue(count > 0)
    turns(5)
    if not server:is_closing() then server:send("last", name_of(server)) end
  end)
end

-- ---- opening ----

-- Calls fn while the look-up of every host gives these hosts.
local function with_hosts(hosts, fn)
  local look_up = core._lookup_host
  local _ <close> = aio.defer(function() core._lookup_host = look_up end)
  core._lookup_host = function(_, service, _, kind)
    lu.assertEquals(kind, "dgram")
    local found = {}
    for i, host in ipairs(hosts) do
      local family = host:find(":", 1, true) and "inet6" or "inet"
      found[i] = { host = host, port = tonumber(service), family = family, type = kind }
    end
    return found
  end
  return fn()
end

function T.TestUdp.test_names_of_hosts()
  aio.run(with_hosts, { NOT_MINE, "127.0.0.1" }, function()
    local d <close> = aio.open_datagram { local_addr = { "me", 0 } } -- the first that is here
    lu.assertEquals(name_of(d).host, "127.0.0.1")
  end)
  aio.run(with_hosts, { "::1", "127.0.0.1" }, function()
    local d <close> = aio.open_datagram { local_addr = LOCAL, remote_addr = { "host", 9 } }
    lu.assertEquals(d:get_extra_info("peername").host, "127.0.0.1") -- of the same family
  end)
end

function T.TestUdp.test_addresses_that_cannot_be_had()
  aio.run(with_hosts, { NOT_MINE, "192.0.2.78" }, function()
    local err = raised(aio.OSError, aio.open_datagram, { local_addr = { "host", 7 } })
    lu.assertEquals({ err.code, err.syscall, #err.errors }, { "EADDRNOTAVAIL", "bind", 2 })
    lu.assertStrContains(err.message, NOT_MINE .. ":7: bind: address not available")
    lu.assertEquals(err.address.host, "192.0.2.78")
    err = raised(aio.OSError, aio.open_datagram,
      { local_addr = LOCAL, remote_addr = { "::1", 9 } })
    lu.assertEquals(err.code, "EAFNOSUPPORT")
  end)
end

function T.TestUdp.test_a_port_in_use()
  aio.run(with_pair, function(server)
    local err = raised(aio.OSError, aio.open_datagram, { local_addr = name_of(server) })
    lu.assertEquals({ err.code, err.address.port }, { "EADDRINUSE", name_of(server).port })
  end)
end

function T.TestArguments.test_wrong_options()
  aio.run(function()
    local function wrong(text, opts)
      lu.assertErrorMsgContains(text, aio.open_datagram, opts)
    end
    wrong("table of options expected", 7)
    wrong("unknown option 'colour'", { colour = 1 })
    wrong("option 'local_addr': address", { local_addr = 7 })
    wrong("option 'local_addr': name or address of a host expected, got nil", { local_addr = {} })
    wrong("port from 0 to 65535", { remote_addr = { "127.0.0.1", -1 } })
    wrong("port from 0 to 65535", { remote_addr = { "127.0.0.1" } })
    wrong("path expected, got an empty one", { local_addr = "" })
    -- such a path may be meant, but hardly ever is
    wrong("path of a Unix socket; write { \"127.0.0.1\", 0 }, or for such a path './127.0.0.1:0'",
      { local_addr = "127.0.0.1:0" })
    wrong("option 'remote_addr': '[::1]:53' would be the path of a Unix socket; write "
      .. "{ \"::1\", 53 }", { remote_addr = "[::1]:53" })
    wrong("write { host, 53 }", { remote_addr = ":53" })
    wrong("of one kind", { local_addr = "/tmp/x", remote_addr = LOCAL })
    wrong("option 'family'", { family = "unix" })
    wrong("option 'queue': an integer from 1", { queue = 0 })
    wrong("option 'multicast_ttl': an integer from 0 to 255", { multicast_ttl = 256 })
    wrong("option 'broadcast': boolean expected", { broadcast = 1 })
    local _, err = pcall(aio.open_datagram, { queue = 1.5 })
    lu.assertStrContains(err, "test_datagram.lua:")
  end)
end

function T.TestArguments.test_wrong_sends()
  aio.run(with_pair, function(server, client)
    local at = name_of(server)
    lu.assertErrorMsgContains("string or number expected", server.send, server, {}, at)
    lu.assertErrorMsgContains("has a remote_addr", client.send, client, "x", at)
    lu.assertErrorMsgContains("has no remote_addr", server.send, server, "x")
    local bad = { {}, 7, { "localhost", 1 }, { "127.0.0.1", 65536 }, { "127.0.0.1", "x" } }
    for _, addr in ipairs(bad) do
      lu.assertErrorMsgContains("address {host=, port=}", server.send, server, "x", addr)
    end
    raised(aio.OSError, server.send, server, "x", { "::1", 1 }) -- of another family
    lu.assertErrorMsgContains("address {host=, port=} expected, since this endpoint is of UDP",
      server.send, server, "x", "127.0.0.1")
    lu.assertErrorMsgContains("Datagram expected", server.send, "x")
  end)
end

-- An address may be any table: its metamethods run in the middle of a send.
function T.TestArguments.test_closed_by_a_metamethod()
  aio.run(with_pair, function(server)
    local addr = setmetatable({ port = 9 }, { __index = function()
      server:close()
      return "127.0.0.1"
    end })
    raised(aio.RuntimeError, server.send, server, "x", addr)
  end)
end

-- ---- the end ----

function T.TestArguments.test_the_finalizer_by_hand()
  aio.run(with_pair, function(server)
    local gc = debug.getmetatable(server).__gc
    local other = aio.open_datagram()
    gc(other)
    gc(other)
    raised(aio.RuntimeError, other.recv, other)
    raised(aio.RuntimeError, aio.select, { { other, "recv" } })
    raised(aio.RuntimeError, other.dropped, other)
  end)
end

function T.TestArguments.test_collected_while_open()
  local reports, kept = {}, nil
  aio.run_with({ debug = true }, function()
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    aio.open_datagram()
    collectgarbage()
    collectgarbage()
    kept = aio.open_datagram()
  end)
  lu.assertTrue(kept:is_closing())
  lu.assertEquals(#reports, 2)
  for _, ctx in ipairs(reports) do
    lu.assertEquals(ctx.kind, "unclosed")
    lu.assertStrContains(ctx.message, "a datagram endpoint")
    lu.assertStrContains(ctx.message, "test_datagram.lua:")
  end
end

function T.TestArguments.test_a_loop_that_closes_closes_endpoints()
  local loop = aio.new_event_loop()
  loop:set_exception_handler(function() end) -- the task is left pending on purpose
  local d
  local t = loop:create_task(function()
    d = aio.open_datagram { local_addr = LOCAL }
    d:recv()
  end)
  loop:step()
  lu.assertFalse(t:done())
  loop:close()
  lu.assertTrue(d:is_closing())
end

-- A task that waits for a datagram is not in a deadlock: one may come.
function T.TestArguments.test_an_open_endpoint_can_wake()
  aio.run(with_pair, function(server)
    raised(aio.TimeoutError, aio.timeout, 0.01, server.recv, server)
    server:close()
  end)
end

return T
