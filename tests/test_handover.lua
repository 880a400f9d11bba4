-- SPDX-License-Identifier: MIT
-- A listening socket in the hands of several processes: nobody is refused, nothing is lost.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local free_port = require("support.sockets").free_port

local host = env.host
local UV = env.option "AIO_STREAM_UV" == "ON"

local T = { elsewhere = true }

local CLIENTS, AT_ONCE, GENERATIONS = 500, 20, 4

-- One request; who has answered.
local function ask(port)
  local conn <close> = aio.open_connection("127.0.0.1", port)
  conn:write("hello\n")
  local pid, said = conn:read("l"):match "^(%d+) (.*)$"
  lu.assertEquals(said, "hello")
  return pid
end

function T.test_five_hundred_clients_over_four_handovers()
  lu.skipIf(not host, "needs the test interpreter")
  lu.skipIf(UV, "descriptors cannot be handed on there")
  aio.run(function()
    local port, control = free_port(), os.tmpname()
    os.remove(control)
    local command = "exec env " .. env.command(("%s %d %s >/dev/null 2>&1"):format(
      env.quote(env.root .. "/examples/handover.lua"), port, control))
    local children, gone, served, over = {}, {}, 0, false
    local function start() children[#children + 1] = host.spawn(command, {}) end
    local _ <close> = aio.defer(function()
      if #children > 0 then os.execute("kill -KILL " .. table.concat(children, " ")) end
    end)

    start()
    local first
    aio.timeout(60, function()
      while not aio.catch(aio.OSError, function() first = ask(port) end) do aio.sleep(0.01) end
    end)
    local long <close> = aio.open_connection("127.0.0.1", port)
    long:write("begin\n")
    lu.assertEquals(long:read("l"), first .. " begin")

    -- A successor that dies is an error, not a test without end.
    aio.timeout(120, aio.TaskGroup, function(tg)
      tg:create_task(function()
        local last = first
        for _ = 1, GENERATIONS do
          start()
          local now
          repeat now = ask(port) until now ~= last and not gone[now]
          gone[last] = true
          last = now
        end
        over = true
      end)
      for _ = 1, AT_ONCE do
        tg:create_task(function()
          while served < CLIENTS or not over do
            ask(port) -- raises when it is refused or not answered
            served = served + 1
          end
        end)
      end
    end)

    lu.assertTrue(served >= CLIENTS)
    long:write("end\n")
    lu.assertEquals(long:read("l"), first .. " end")
    long:close()
    for i = 1, GENERATIONS do
      lu.assertEquals({ host.wait(children[i]) }, { "exit", 0 })
    end
    os.execute("kill -INT " .. children[#children])
    lu.assertEquals({ host.wait(children[#children]) }, { "exit", 130 })
    children = {}
    os.remove(control)
  end)
end

-- ---- sockets that somebody else has opened ----

local LISTEN = [[
  local ok, fds, names = pcall(aio.listen_fds)
  if not ok then print(tostring(fds)) return end
  print(#fds, table.concat(fds, " "), table.concat(names, " "))
  print(os.getenv "LISTEN_FDS", os.getenv "LISTEN_PID", os.getenv "LISTEN_FDNAMES")
  print(#aio.listen_fds())
]]

function T.test_listen_fds()
  lu.assertEquals(aio.listen_fds(), {})
  local nothing = "nil\tnil\tnil\n0\n"
  lu.assertEquals(env.shell(LISTEN, "%s"), "0\t\t\n" .. nothing)
  -- The shell's own number, which exec keeps.
  local function with(vars)
    return env.shell(LISTEN, "exec 3</dev/null 4</dev/null; export LISTEN_PID=$$ " .. vars
      .. "; exec env %s")
  end
  lu.assertEquals(with "LISTEN_FDS=2", "2\t3 4\tunknown unknown\n" .. nothing)
  lu.assertEquals(with "LISTEN_FDS=2 LISTEN_FDNAMES=web:admin", "2\t3 4\tweb admin\n" .. nothing)
  lu.assertEquals(with "LISTEN_FDS=2 LISTEN_FDNAMES=web", "2\t3 4\tweb unknown\n" .. nothing)
  lu.assertEquals(with "LISTEN_FDS=2 LISTEN_PID=1", "0\t\t\n" .. nothing)
  lu.assertStrContains(with "LISTEN_FDS=two", "LISTEN_FDS is 'two'")
  -- What the program runs under may hold one of these itself.
  lu.assertStrMatches(with "LISTEN_FDS=9",
    ".*'9', but descriptor %d+: fcntl: bad file descriptor\n")
end

function T.test_a_server_at_a_descriptor()
  lu.skipIf(not host or UV, "needs descriptors")
  aio.run(function()
    local first <close> = aio.start_server(function(conn) conn:write("first") end, "127.0.0.1", 0,
      { start_serving = false })
    local fd = host.dup(first.sockets[1]:fileno())
    local second <close> = aio.start_server(function(conn) conn:write("second") end,
      { sock = fd, limit = 100 })
    lu.assertEquals(second.port, first.port)
    lu.assertEquals(second.sockets[1]:fileno(), fd)
    local host_name, port = second.sockets[1]:getsockname()
    lu.assertEquals({ host_name, port }, { "127.0.0.1", first.port })
    local conn <close> = aio.open_connection("127.0.0.1", first.port)
    lu.assertEquals(conn:read("a"), "second")
    local socket = second.sockets[1]
    second:close()
    lu.assertNil(socket:fileno())
    lu.assertFalse(host.is_open(fd))
    first:start_serving()
    local again <close> = aio.open_connection("127.0.0.1", first.port)
    lu.assertEquals(again:read("a"), "first")
  end)
end

function T.test_a_server_at_a_socket()
  lu.skipIf(UV, "needs descriptors")
  aio.run(function()
    local sock = aio.socket()
    lu.assertFalse((pcall(aio.start_server, print, { sock = sock, limit = 0 })))
    sock:bind { host = "127.0.0.1", port = 0 }
    local srv <close> = aio.start_server(function(conn) conn:write("x") end, { sock = sock })
    lu.assertNil((sock:fileno()))
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    lu.assertEquals(conn:read("a"), "x")
  end)
end

function T.test_what_cannot_listen()
  lu.skipIf(not host or UV, "needs descriptors")
  aio.run(function()
    local function refused(sock, message)
      local ok, err = pcall(aio.start_server, print, { sock = sock })
      lu.assertFalse(ok)
      lu.assertStrContains(tostring(err), message)
    end
    refused(-1, "a descriptor of one, expected, got number")
    refused(2 ^ 32 // 1 | 0, "a descriptor of one, expected, got number") -- is not cut off to 0
    refused("x", "a descriptor of one, expected, got string")
    refused({}, "got table")
    refused(12345, "cannot listen at descriptor 12345: sock: bad file descriptor")
    -- What is refused is still the caller's.
    local r, w = host.pipe()
    refused(r, "socket operation on non-socket")
    lu.assertTrue(host.is_open(r))
    host.close(r)
    host.close(w)
    local a, b = host.socketpair()
    refused(a, "listen: invalid argument")
    lu.assertTrue(host.is_open(a))
    host.close(a)
    host.close(b)
    local bound <close> = aio.socket()
    bound:bind("127.0.0.1", 0)
    for _, opts in ipairs { { limit = 0 }, { backlog = -1 }, { ssl = 1 }, { family = "inet" } } do
      opts.sock = bound
      lu.assertFalse((pcall(aio.start_server, print, opts)))
      lu.assertTrue(host.is_open(bound:fileno()))
    end
    local datagrams <close> = aio.socket("inet", "dgram")
    refused(datagrams, "cannot listen at this socket")
    lu.assertTrue(host.is_open(datagrams:fileno()))
    local ok, err = pcall(aio.start_server, print, { sock = 3, reuse_port = true })
    lu.assertFalse(ok)
    lu.assertStrContains(err, "unknown option 'reuse_port'")
  end)
end

function T.test_the_file_of_a_unix_server_can_stay()
  lu.skipIf(not host or UV, "needs descriptors")
  aio.run(function()
    local path = os.tmpname()
    os.remove(path)
    local old = aio.start_unix_server(function(conn) conn:write("old") end, path,
      { cleanup_socket = false })
    local new <close> = aio.start_server(function(conn) conn:write("new") end,
      { sock = host.dup(old.sockets[1]:fileno()) })
    old:close()
    local conn <close> = aio.open_unix_connection(path)
    lu.assertEquals(conn:read("a"), "new")
    lu.assertEquals(new.sockets[1]:getsockname(), path)
    os.remove(path)
  end)
end

function T.test_inheritance()
  lu.skipIf(not host or UV, "needs descriptors")
  aio.run(function()
    local srv <close> = aio.start_server(print, "127.0.0.1", 0)
    local fd = srv.sockets[1]:fileno()
    lu.assertTrue(host.closed_on_exec(fd))
    aio.set_inheritable(srv.sockets[1], true)
    lu.assertFalse(host.closed_on_exec(fd))
    aio.set_inheritable(fd, false)
    lu.assertTrue(host.closed_on_exec(fd))
    local ok, err = pcall(aio.set_inheritable, fd)
    lu.assertFalse(ok)
    lu.assertStrContains(err, "true or false expected")
  end)
end

return T
