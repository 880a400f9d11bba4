-- SPDX-License-Identifier: MIT
-- Connecting: addresses, errors, options; look-ups of names; no signal from a dead peer.

local lu = require "luaunit"
local aio = require "aio"
local core = require "aio.core"
local env = require "support.env"
local streams = require "support.streams"

local interleave = require("aio.staggered").interleave

local raised, turns, BIG, over_tcp, over_unix =
  streams.raised, streams.turns, streams.BIG, streams.over_tcp, streams.over_unix

local T = { TestTcp = {}, TestUnix = {} }

-- ---- connecting ----

function T.TestTcp.test_extra_info()
  aio.run(over_tcp, function(client, peer)
    lu.assertEquals(client:get_extra_info("peername"), peer:get_extra_info("sockname"))
    lu.assertEquals(client:get_extra_info("sockname"), peer:get_extra_info("peername"))
    lu.assertEquals(client:get_extra_info("peername").host, "127.0.0.1")
    lu.assertEquals(math.type(client:get_extra_info("fileno")), "integer")
    lu.assertEquals(client:get_extra_info("nothing", "default"), "default")
    lu.assertStrContains(tostring(client), "tcp, open")
  end)
end

function T.TestUnix.test_extra_info()
  aio.run(over_unix, function(client)
    lu.assertEquals(type(client:get_extra_info("peername")), "string")
    lu.assertStrContains(tostring(client), "unix, open")
  end)
end

function T.TestTcp.test_a_reset_comes_after_the_data()
  aio.run(over_tcp, function(client, peer)
    client:write_nowait(("x"):rep(BIG)) -- more than the peer takes out of the system's buffers
    peer:write("last words")
    turns(20)
    peer:abort() -- with unread bytes there: the system answers with a reset
    lu.assertEquals(client:read(100), "last words")
    lu.assertEquals(raised(aio.OSError, client.read, client, 1).code, "ECONNRESET")
    raised(aio.OSError, client.readline, client)
    raised(aio.OSError, client.readexactly, client, 1)
    client:abort()
  end)
end

function T.TestTcp.test_refused()
  aio.run(function()
    local srv = aio.start_server(function() end, "127.0.0.1", 0)
    local port = srv.port
    srv:close()
    local err = raised(aio.OSError, aio.open_connection, "127.0.0.1", port)
    lu.assertEquals(err.code, "ECONNREFUSED")
    lu.assertEquals(err.syscall, "connect")
    lu.assertEquals(err.address.port, port)
    lu.assertEquals(#err.errors, 1)
    lu.assertStrContains(err.message, "127.0.0.1:" .. port)
  end)
end

function T.TestTcp.test_local_address()
  aio.run(function()
    local from = aio.Future()
    local srv <close> = aio.start_server(function(conn)
      from:set_result(conn:get_extra_info("peername").host)
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port,
      { local_addr = { "127.0.0.2" } })
    lu.assertEquals(from:await(), "127.0.0.2")
    lu.assertEquals(conn:get_extra_info("sockname").host, "127.0.0.2")
  end)
end

function T.TestTcp.test_connect_options()
  aio.run(function()
    local srv <close> = aio.start_server(function() end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port,
      { nodelay = false, keepalive = true, timeout = 10, family = "inet", limit = 100 })
    lu.assertNil(conn:read(1))
  end)
end

-- On the loopback the system connects at once; the task goes on a turn later all the same.
function T.TestTcp.test_a_connection_that_is_there_can_be_cancelled()
  aio.run(function()
    local ended = aio.get_running_loop():create_future()
    local srv <close> = aio.start_server(function(conn) ended:set_result(conn:read(1) or "end") end,
      "127.0.0.1", 0)
    local t = aio.create_task(aio.open_connection, "127.0.0.1", srv.port)
    aio.sleep(0)
    lu.assertFalse(t:done())
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    lu.assertEquals(ended:await(), "end")
  end)
end

function T.TestTcp.test_both_ends_send_without_delay()
  aio.run(function()
    local function nodelay(conn)
      local s = aio.socket { fileno = conn:get_extra_info "fileno" }
      local is = s:getsockopt "nodelay"
      s:detach()
      return is
    end
    local at_server = aio.get_running_loop():create_future()
    local srv <close> = aio.start_server(function(conn)
      if not at_server:done() then at_server:set_result(nodelay(conn)) end
    end,
      "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    local slow <close> = aio.open_connection("127.0.0.1", srv.port, { nodelay = false })
    lu.assertTrue(nodelay(conn))
    lu.assertFalse(nodelay(slow))
    lu.assertTrue(at_server:await())
  end)
end

-- An address in digits without options takes a shorter way through the library.
function T.TestTcp.test_the_short_way_is_like_the_long_one()
  aio.run(function()
    local srv = aio.start_server(streams.echo, "127.0.0.1", 0)
    for _, opts in ipairs { false, {} } do
      local conn <close> = aio.open_connection("127.0.0.1", srv.port, opts or nil)
      conn:write(("x"):rep(70000), "\n")
      raised(aio.LimitOverrunError, conn.read, conn, "l") -- the limit unless one is given
    end
    srv:close()
    srv:wait_closed()
    local errors = {}
    for i, opts in ipairs { false, {} } do
      local err = raised(aio.OSError, aio.open_connection, "127.0.0.1", srv.port, opts or nil)
      errors[i] = { err.message, err.code, err.syscall, err.address, #err.errors }
    end
    lu.assertEquals(errors[1], errors[2])
    lu.assertErrorMsgContains("name or address of a host", aio.open_connection, "127.0.0.1\0", 80)
  end)
end

function T.TestTcp.test_connecting_can_be_cancelled()
  aio.run(function()
    -- a full backlog: the system does not answer
    local srv = aio.start_server(function() end, "127.0.0.1", 0,
      { backlog = 1, start_serving = false })
    local tasks = {}
    for i = 1, 8 do tasks[i] = aio.create_task(aio.open_connection, "127.0.0.1", srv.port) end
    streams.polled()
    local pending = 0
    for _, t in ipairs(tasks) do
      if not t:done() then
        pending = pending + 1
        t:cancel()
        raised(aio.CancelledError, t.await, t)
      else
        t:result():close()
      end
    end
    lu.assertTrue(pending > 0)
    raised(aio.TimeoutError, aio.open_connection, "127.0.0.1", srv.port, { timeout = 0 })
    srv:close()
  end)
end

function T.TestTcp.test_wrong_connect_arguments()
  aio.run(function()
    local connect = aio.open_connection
    lu.assertErrorMsgContains("bad argument #1 to 'open_connection'", connect, nil, 80)
    lu.assertErrorMsgContains("bad argument #1 to 'open_connection'", connect, "", 80)
    for _, port in ipairs { -1, 65536, 1.5, true, "" } do
      lu.assertErrorMsgContains("port from 0 to 65535", connect, "127.0.0.1", port)
    end
    lu.assertErrorMsgContains("unknown option 'colour'", connect, "127.0.0.1", 1, { colour = 1 })
    lu.assertErrorMsgContains("option 'limit'", connect, "127.0.0.1", 1, { limit = 0 })
    lu.assertErrorMsgContains("option 'family'", connect, "127.0.0.1", 1, { family = "ipx" })
    lu.assertErrorMsgContains("got nan", connect, "127.0.0.1", 1, { timeout = 0 / 0 })
    lu.assertErrorMsgContains("path", aio.open_unix_connection, "")
    lu.assertErrorMsgContains("zero byte", aio.open_unix_connection, "a\0b")
    local _, err = pcall(connect, "127.0.0.1", -1)
    lu.assertStrContains(err, "test_connect.lua:")
  end)
end

function T.TestUnix.test_no_such_path()
  aio.run(function()
    local err = raised(aio.OSError, aio.open_unix_connection, "/nonexistent/socket")
    lu.assertEquals(err.code, "ENOENT")
    lu.assertEquals(err.filename, "/nonexistent/socket")
    err = raised(aio.OSError, aio.open_unix_connection, ("x"):rep(200))
    lu.assertEquals(err.code, "ENAMETOOLONG")
  end)
end

-- ---- several addresses ----

T.TestAddresses = {}

-- Calls fn while the look-up of every host gives these addresses: {host, port, family}.
local function with_addresses(list, fn)
  local look_up = core._lookup_host
  local _ <close> = aio.defer(function() core._lookup_host = look_up end)
  core._lookup_host = function()
    local found = {}
    for i, a in ipairs(list) do
      found[i] = { host = a[1], port = a[2], family = a[3] or "inet", type = "stream" }
    end
    return found
  end
  return fn()
end

-- A port of 127.0.0.1 at which nobody listens.
local function closed_port()
  local srv = aio.start_server(function() end, "127.0.0.1", 0)
  local port = srv.port
  srv:close()
  return port
end

-- Calls fn(port) with a port whose backlog is full: the system does not answer there.
local function with_silent_port(fn)
  local srv <close> = aio.start_server(function() end, "127.0.0.1", 0,
    { backlog = 1, start_serving = false })
  local tasks = {}
  for i = 1, 8 do tasks[i] = aio.create_task(aio.open_connection, "127.0.0.1", srv.port) end
  streams.polled()
  local results = table.pack(pcall(fn, srv.port))
  for _, t in ipairs(tasks) do
    t:cancel()
    local ok, conn = pcall(t.await, t)
    if ok then conn:abort() end
  end
  if not results[1] then error(results[2], 0) end
end

local function with_server(fn, host)
  local srv <close> = aio.start_server(function(conn) conn:read("a") end, host or "127.0.0.1", 0)
  fn(srv.port)
end

local function other_tasks(loop)
  local n = 0
  for _, t in ipairs(aio.all_tasks(loop)) do
    if t ~= aio.current_task() then n = n + 1 end
  end
  return n
end

-- ---- a descriptor that cannot be polled ----

local function need_to_spoil()
  lu.skipIf(not env.host, "needs the test interpreter")
  lu.skipIf(env.hostile, "libuv sees everything at once there")
end

-- Puts a file where the connection's descriptor is: libuv, which has not seen that yet, refuses it.
local function spoil(fd)
  local file <close> = assert(io.open(arg[0]))
  env.host.dup(core._fileno(file), fd)
end

function T.TestTcp.test_a_descriptor_that_cannot_be_polled()
  need_to_spoil()
  aio.run(with_server, function(port)
    local conn = aio.open_connection("127.0.0.1", port)
    local fd = conn:get_extra_info("fileno")
    spoil(fd)
    lu.assertEquals(raised(aio.OSError, conn.read, conn, 1).code, "EPERM")
    lu.assertEquals(raised(aio.OSError, conn.write, conn, "x").code, "EPERM")
    conn:close()
    lu.assertFalse(env.host.is_open(fd))
  end)
end

function T.TestTcp.test_nor_polled_while_it_connects()
  need_to_spoil()
  aio.run(with_silent_port, function(port)
    local probe = assert(io.open(arg[0]))
    local fd = core._fileno(probe) -- the next number
    probe:close()
    local t = aio.create_task(aio.open_connection, "127.0.0.1", port)
    while not env.host.is_open(fd) do aio.sleep(0) end
    spoil(fd)
    lu.assertEquals(raised(aio.OSError, t.await, t).code, "EPERM")
    lu.assertFalse(env.host.is_open(fd))
  end)
end

function T.TestAddresses.test_a_refused_address_is_passed_at_once()
  aio.run(with_server, function(port)
    with_addresses({ { "::1", port, "inet6" }, { "127.0.0.1", port } }, function()
      -- without a limit: only a failure can have started the second attempt
      local conn <close> = aio.open_connection("host", port, { happy_eyeballs_delay = math.huge })
      lu.assertEquals(conn:get_extra_info("peername").host, "127.0.0.1")
    end)
  end)
end

function T.TestAddresses.test_a_silent_address_does_not_hold_up_the_next()
  aio.run(with_silent_port, function(silent)
    with_server(function(port)
      with_addresses({ { "127.0.0.1", silent }, { "127.0.0.1", port } }, function()
        local before = other_tasks()
        local conn <close> = aio.open_connection("host", port, { happy_eyeballs_delay = 0.01 })
        lu.assertEquals(conn:get_extra_info("peername").port, port)
        -- the loser has been cancelled and has ended; what is new serves the winner
        lu.assertTrue(other_tasks() <= before + 1)
      end)
    end)
  end)
end

function T.TestAddresses.test_the_delay_is_kept()
  aio.run(with_silent_port, function(silent)
    with_server(function(port)
      with_addresses({ { "127.0.0.1", silent }, { "127.0.0.1", port } }, function()
        raised(aio.TimeoutError, aio.open_connection, "host", port,
          { happy_eyeballs_delay = math.huge, timeout = 0.02 })
        raised(aio.TimeoutError, aio.open_connection, "host", port,
          { happy_eyeballs_delay = 60, timeout = 0.02 })
      end)
    end)
  end)
end

function T.TestAddresses.test_the_first_to_answer_wins()
  aio.run(function()
    local srv <close> = aio.start_server(function(conn) conn:read("a") end,
      { "127.0.0.1", "127.0.0.2", "127.0.0.3" }, 0)
    local list = {}
    for i = 1, 3 do list[i] = { "127.0.0." .. i, srv.port } end
    with_addresses(list, function()
      aio.open_connection("host", srv.port, { happy_eyeballs_delay = 0 }):close()
    end)
    srv:close()
    srv:wait_closed() -- those who came too late have been closed
  end)
end

function T.TestAddresses.test_the_error_lists_every_address()
  aio.run(function()
    local port = closed_port()
    with_addresses({ { "127.0.0.1", port }, { "::1", port, "inet6" }, { "127.0.0.2", port } },
      function()
        local err = raised(aio.OSError, aio.open_connection, "host", port)
        lu.assertEquals(err.code, "ECONNREFUSED")
        lu.assertEquals(#err.errors, 3)
        -- the families in turn
        lu.assertEquals(err.errors[1].address.host, "127.0.0.1")
        lu.assertEquals(err.errors[2].address.host, "::1")
        lu.assertEquals(err.errors[3].address.host, "127.0.0.2")
        for _, host in ipairs { "127.0.0.1:", "[::1]:", "127.0.0.2:" } do
          lu.assertStrContains(err.message, host .. port .. ": connect: connection refused")
        end
      end)
  end)
end

local function order(list, count)
  local hosts = {}
  for i, a in ipairs(interleave(list, count)) do hosts[i] = a.host end
  return table.concat(hosts, " ")
end

function T.TestAddresses.test_interleave()
  local list = {}
  for i, host in ipairs { "6a", "6b", "6c", "4a", "4b" } do
    list[i] = { host = host, family = host:sub(1, 1) }
  end
  lu.assertEquals(order(list, 0), "6a 6b 6c 4a 4b")
  lu.assertEquals(order(list, 1), "6a 4a 6b 4b 6c")
  lu.assertEquals(order(list, 2), "6a 6b 4a 6c 4b")
  lu.assertEquals(order(list, 9), "6a 6b 6c 4a 4b")
  lu.assertEquals(order({}, 1), "")
  lu.assertEquals(order({ list[1] }, 3), "6a")
end

function T.TestAddresses.test_interleave_of_a_connection()
  aio.run(function()
    local port = closed_port()
    local list = { { "127.0.0.1", port }, { "127.0.0.2", port }, { "::1", port, "inet6" } }
    with_addresses(list, function()
      for count, second in pairs { [0] = "127.0.0.2", [1] = "::1", [2] = "127.0.0.2" } do
        local err = raised(aio.OSError, aio.open_connection, "host", port, { interleave = count })
        lu.assertEquals(err.errors[2].address.host, second)
      end
    end)
  end)
end

function T.TestAddresses.test_a_cancelled_connect_leaves_no_attempt()
  aio.run(with_silent_port, function(one)
    with_silent_port(function(two)
      with_addresses({ { "127.0.0.1", one }, { "127.0.0.1", two } }, function()
        local before = other_tasks()
        local t = aio.create_task(aio.open_connection, "host", 1, { happy_eyeballs_delay = 0 })
        -- the connection's task, and one for each address as soon as it has been looked up
        while other_tasks() < before + 3 do aio.sleep(0) end
        t:cancel()
        raised(aio.CancelledError, t.await, t)
        lu.assertEquals(other_tasks(), before)
      end)
    end)
  end)
end

function T.TestAddresses.test_local_addresses_are_tried_in_turn()
  aio.run(with_server, function(port)
    -- the same list is given for the host and for the local address
    with_addresses({ { "192.0.2.77", port }, { "127.0.0.1", port } }, function()
      local err = raised(aio.OSError, aio.open_connection, "127.0.0.1", port,
        { local_addr = { "192.0.2.77", 0 } })
      lu.assertEquals({ err.syscall, err.code }, { "bind", "EADDRNOTAVAIL" })
    end)
    with_addresses({ { "192.0.2.77", 0 }, { "127.0.0.3", 0 }, { "::1", 0, "inet6" } }, function()
      local conn <close> = aio.open_connection("127.0.0.1", port, { local_addr = { "me", 0 } })
      lu.assertEquals(conn:get_extra_info("sockname").host, "127.0.0.3")
    end)
  end)
end

function T.TestAddresses.test_no_local_address_of_the_family()
  aio.run(function()
    local err = raised(aio.OSError, aio.open_connection, "127.0.0.1", 1,
      { local_addr = { "::1", 0 } })
    lu.assertEquals(err.code, "EAFNOSUPPORT")
    lu.assertEquals(err.errors, {})
  end)
end

function T.TestAddresses.test_wrong_options()
  aio.run(function()
    local connect = aio.open_connection
    for _, delay in ipairs { -1, 0 / 0 } do
      lu.assertErrorMsgContains("option 'happy_eyeballs_delay'", connect, "127.0.0.1", 1,
        { happy_eyeballs_delay = delay })
    end
    for _, count in ipairs { -1, 1.5 } do
      lu.assertErrorMsgContains("option 'interleave'", connect, "127.0.0.1", 1,
        { interleave = count })
    end
    lu.assertErrorMsgContains("option 'interleave'", connect, "127.0.0.1", 1,
      { interleave = "1" })
  end)
end

-- ---- names ----

T.TestNames = {}

-- A machine without /etc/hosts, such as a fresh chroot, does not know its own name.
local function need_localhost()
  lu.skipIf(not os.execute("getent ahostsv4 localhost >/dev/null"), "localhost is not known here")
end

function T.TestNames.test_getaddrinfo()
  need_localhost()
  aio.run(function()
    local list = aio.getaddrinfo("localhost", 80, { family = "inet", type = "stream" })
    lu.assertEquals(list[1].host, "127.0.0.1")
    lu.assertEquals(list[1].port, 80)
    local loop = aio.get_running_loop()
    lu.assertEquals(loop:getaddrinfo("127.0.0.1", 80, { type = "stream" })[1].host, "127.0.0.1")
    lu.assertEquals(loop:getnameinfo({ "127.0.0.1", 80 }, { "numerichost" }), "127.0.0.1")
    lu.assertEquals(list[1].family, "inet")
    lu.assertEquals(list[1].type, "stream")
    lu.assertEquals(math.type(list[1].proto), "integer")
    lu.assertEquals(list[1].canonname, "")
    lu.assertEquals(aio.getaddrinfo("::1", nil, { type = "dgram" })[1].host, "::1")
    lu.assertTrue(#aio.getaddrinfo("127.0.0.1") >= 2) -- one for each type
    lu.assertEquals(aio.getaddrinfo(nil, 7, { type = "stream", family = "inet" })[1].port, 7)
  end)
end

function T.TestNames.test_a_host_that_does_not_exist()
  aio.run(function()
    local err = raised(aio.OSError, aio.getaddrinfo, "host.invalid", 80)
    lu.assertStrMatches(err.code, "EAI_.*")
    lu.assertStrContains(err.message, "host.invalid:80")
    raised(aio.OSError, aio.open_connection, "host.invalid", 80)
  end)
end

function T.TestNames.test_getnameinfo()
  aio.run(function()
    local host, service = aio.getnameinfo({ "127.0.0.1", 80 }, { "numerichost", "numericserv" })
    lu.assertEquals(host, "127.0.0.1")
    lu.assertEquals(service, "80")
    lu.assertErrorMsgContains("in digits", aio.getnameinfo, { host = "localhost", port = 1 })
    lu.assertErrorMsgContains("unknown flag 'x'", aio.getnameinfo, { "127.0.0.1" }, { "x" })
    lu.assertErrorMsgContains("address", aio.getnameinfo, "127.0.0.1")
  end)
end

function T.TestNames.test_a_cancelled_look_up()
  need_localhost()
  aio.run(function()
    local t = aio.create_task(aio.getaddrinfo, "localhost", 80)
    aio.sleep(0)
    t:cancel()
    raised(aio.CancelledError, t.await, t)
  end)
end

local function descriptors()
  local list = {}
  for fd in pairs(env.host.fds()) do list[#list + 1] = fd end
  return list
end

function T.TestNames.test_a_loop_that_closes_abandons_look_ups()
  local before = env.host and #descriptors()
  local loop = aio.new_event_loop()
  loop:set_exception_handler(function() end) -- the task is left pending on purpose
  local t = loop:create_task(aio.getaddrinfo, "localhost", 80)
  loop:step(0)
  lu.assertFalse(t:done())
  loop:close()
  -- a thread of its own waits for the look-up and closes what is left
  repeat until not before or #descriptors() == before
end

function T.TestNames.test_wrong_arguments()
  aio.run(function()
    lu.assertErrorMsgContains("a host or a port", aio.getaddrinfo)
    lu.assertErrorMsgContains("bad argument #1", aio.getaddrinfo, 7)
    lu.assertErrorMsgContains("port", aio.getaddrinfo, "localhost", -7)
    lu.assertErrorMsgContains("option 'family'", aio.getaddrinfo, "localhost", 1, { family = "x" })
    lu.assertErrorMsgContains("option 'type'", aio.getaddrinfo, "localhost", 1, { type = "x" })
    lu.assertErrorMsgContains("unknown option", aio.getaddrinfo, "localhost", 1, { flags = 1 })
  end)
end

-- ---- SIGPIPE ----

-- A stepped loop leaves every signal alone: a write to a closed peer shows whether it raises one.
function T.TestTcp.test_no_signal_from_a_write_to_a_closed_peer()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write [[
    local aio = require "aio"
    local loop = aio.new_event_loop()
    local t = loop:create_task(function()
      local srv = aio.start_server(function() end, "127.0.0.1", 0)
      local conn = aio.open_connection("127.0.0.1", srv.port)
      local _, err = aio.catch(aio.OSError, function()
        while true do conn:write("x") aio.sleep(0) end
      end)
      print(err.code == "EPIPE" or err.code == "ECONNRESET")
      conn:close()
      srv:close()
    end)
    while not t:done() do loop:step() end
    loop:close()
  ]]
  file:close()
  local command = env.command(env.quote(path)):gsub("AIO_TEST_ROOT=",
    "env --default-signal=PIPE AIO_TEST_ROOT=", 1)
  local pipe = assert(io.popen(command .. "; echo status $?"))
  local out = pipe:read "a"
  pipe:close()
  os.remove(path)
  lu.assertEquals(out, "true\nstatus 0\n")
end

return T
