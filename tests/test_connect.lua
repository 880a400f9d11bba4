-- SPDX-License-Identifier: MIT
-- Connecting: addresses, errors, options; look-ups of names; no signal from a dead peer.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"

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

function T.TestTcp.test_connecting_can_be_cancelled()
  aio.run(function()
    -- a full backlog: the system does not answer
    local srv = aio.start_server(function() end, "127.0.0.1", 0,
      { backlog = 1, start_serving = false })
    local tasks = {}
    for i = 1, 8 do tasks[i] = aio.create_task(aio.open_connection, "127.0.0.1", srv.port) end
    aio.sleep(0.05)
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
