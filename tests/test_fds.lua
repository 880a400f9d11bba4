-- SPDX-License-Identifier: MIT
-- What only Unix sockets can do: descriptors from process to process, and who the peer is.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"

local host, raised = env.host, streams.raised
local UV = env.option "AIO_STREAM_UV" == "ON"

local T = {}

-- Runs fn(a, b) with both ends of a pair; b keeps received descriptors.
local function pair(fn, opts)
  return function()
    lu.skipIf(not host, "needs the test interpreter")
    lu.skipIf(UV, "there are no descriptors there")
    aio.run(function()
      local one, two = host.socketpair()
      local a <close> = aio.connect_pipe(one)
      local b <close> = aio.connect_pipe(two, opts or { fds = 8 })
      fn(a, b)
    end)
  end
end

local function close_all(...)
  for _, fd in ipairs { ... } do host.close(fd) end
end

T.test_a_descriptor_arrives = pair(function(a, b)
  local r, w = host.pipe()
  a:send_fds("take it", { w })
  host.close(w)
  local data, fds = b:recv_fds(100)
  lu.assertEquals(data, "take it")
  lu.assertEquals(#fds, 1)
  lu.assertTrue(host.closed_on_exec(fds[1]))
  host.write(fds[1], "through")
  lu.assertEquals(host.read(r), "through")
  host.close(r)
  aio.close_fd(fds[1])
  lu.assertFalse(host.is_open(fds[1]))
  lu.assertEquals(raised(aio.OSError, aio.close_fd, fds[1]).code, "EBADF")
  lu.assertFalse((pcall(aio.close_fd, "3")))
end)

T.test_several_and_what_has_a_descriptor = pair(function(a, b)
  local r, w = host.pipe()
  local file <close> = assert(io.open("/dev/null"))
  a:send_fds("x", { r, file, { fileno = function() return w end } })
  local data, fds = b:recv_fds(1)
  lu.assertEquals(data, "x")
  lu.assertEquals(#fds, 3)
  close_all(r, w, table.unpack(fds))
end)

T.test_each_message_comes_with_its_own = pair(function(a, b)
  local r, w = host.pipe()
  a:write("plain ")
  a:send_fds("one", { r })
  a:write(" between ")
  a:send_fds("two", { w, r })
  a:write(" end")
  streams.polled() -- however much has arrived at once
  local got = {}
  repeat
    local data, fds = b:recv_fds(100)
    got[#got + 1] = { data = data, n = #fds }
    close_all(table.unpack(fds))
    local last = data:find "end$"
  until last
  local text, counts = "", {}
  for _, part in ipairs(got) do
    if part.n > 0 then counts[#counts + 1] = part.n end
    lu.assertFalse(part.n > 0 and not part.data:find "one$" and not part.data:find "two$")
    text = text .. part.data
  end
  lu.assertEquals(text, "plain one between two end")
  lu.assertEquals(counts, { 1, 2 })
  close_all(r, w)
end)

T.test_bytes_read_by_other_means = pair(function(a, b)
  local r, w = host.pipe()
  a:send_fds("header\nbody", { r })
  lu.assertEquals(b:read("l"), "header")
  local data, fds = b:recv_fds(100)
  lu.assertEquals(data, "body")
  lu.assertEquals(#fds, 1) -- late, not lost
  close_all(r, w, fds[1])
end)

T.test_the_end = pair(function(a, b)
  a:write("x")
  a:close()
  local data, fds = b:recv_fds(10)
  lu.assertEquals({ data, #fds }, { "x", 0 })
  data, fds = b:recv_fds(10)
  lu.assertNil(data)
  lu.assertEquals(fds, {})
end)

T.test_much_data_and_a_full_socket = pair(function(a, b)
  local r, w = host.pipe()
  local long = ("x"):rep(1000000)
  local sender = aio.create_task(function()
    a:write(long)
    a:send_fds(long, { r })
    a:write("end")
    a:close()
  end)
  local total, count, first = 0, 0, nil
  while true do
    local data, fds = b:recv_fds(100000)
    if not data then break end
    if #fds > 0 then first = total <= 1000000 and total + #data > 1000000 end
    count = count + #fds
    total = total + #data
    close_all(table.unpack(fds))
  end
  sender:await()
  lu.assertEquals({ total, count, first }, { 2000003, 1, true })
  close_all(r, w)
end)

T.test_cancelled_while_it_waits = pair(function(a, b)
  local r, w = host.pipe()
  local reader = aio.create_task(b.recv_fds, b, 10)
  aio.sleep(0)
  a:write_nowait(("x"):rep(1000000)) -- it is there, but the loop has not looked yet
  reader:cancel()
  lu.assertFalse((pcall(reader.await, reader)))
  local sender = aio.create_task(a.send_fds, a, "never", { r })
  aio.sleep(0)
  sender:cancel()
  lu.assertFalse((pcall(sender.await, sender)))
  a:close()
  local data, fds = b:recv_fds(10)
  lu.assertEquals({ data, #fds }, { ("x"):rep(10), 0 })
  lu.assertEquals(#b:read("a"), 1000000 - 10)
  close_all(r, w)
end)

-- The check around every case finds descriptors that are left open.
T.test_nobody_takes_them = pair(function(a, b)
  local r, w = host.pipe()
  a:send_fds("x", { r, w })
  lu.assertEquals(b:read(1), "x")
  close_all(r, w)
end)

T.test_more_than_may_wait = pair(function(a, b)
  local r, w = host.pipe()
  a:send_fds("ab", { r, r })
  a:send_fds("cd", { w, w })
  local err = raised(aio.OSError, function()
    while true do
      local _, fds = b:recv_fds(10)
      -- Nothing is taken from the box before it is full.
      close_all(table.unpack(fds))
    end
  end)
  lu.assertEquals(err.code, "EMFILE")
  close_all(r, w)
end, { fds = 1 })

-- What is left of a message that did not fit must not pass for that of the bytes before it.
T.test_a_lost_message_leaves_nothing = pair(function(a, b)
  local r, w = host.pipe()
  a:write("0before")
  lu.assertEquals(b:read(1), "0") -- and the rest is in the stream
  local reader = aio.create_task(b.readexactly, b, 100)
  a:send_fds("lost", { r, r, w })
  lu.assertEquals(raised(aio.OSError, reader.await, reader).code, "EMFILE")
  local data, fds = b:recv_fds(100)
  lu.assertEquals({ data, #fds }, { "before", 0 })
  lu.assertEquals(raised(aio.OSError, b.recv_fds, b, 100).code, "EMFILE")
  close_all(r, w)
end, { fds = 2 })

-- The list is asked for its length once.
T.test_a_list_that_is_not_what_it_says = pair(function(a, b)
  local long = setmetatable({}, {
    __len = function() return 2 end,
    __index = function(_, i) return i <= 1000 and 0 or nil end,
  })
  a:send_fds("x", long)
  local _, fds = b:recv_fds(1)
  lu.assertEquals(#fds, 2)
  close_all(table.unpack(fds))
  local growing = {}
  growing[1] = { fileno = function()
    for i = 2, 1000 do growing[i] = 0 end
    return 0
  end }
  a:send_fds("x", growing)
  _, fds = b:recv_fds(1)
  lu.assertEquals(#fds, 1)
  close_all(table.unpack(fds))
  local ok, err = pcall(a.send_fds, a, "x", { 0, nil, 0 })
  lu.assertFalse(ok)
  lu.assertStrContains(err, "got nil")
end)

-- Else the bytes would go past the TLS, for everybody to read.
T.test_tls_begins_while_it_waits = pair(function(a, b)
  lu.skipIf(not pcall(require, "aio.tls"), "built without TLS")
  local tls = require "support.tls"
  a:write_nowait(("x"):rep(1000000))
  local sender = aio.create_task(a.send_fds, a, "secret", { 0 })
  aio.sleep(0)
  local reader = aio.create_task(function()
    b:readexactly(1000000)
    b:start_tls(tls.server(), { server_side = true })
  end)
  a:start_tls(tls.client(), { server_hostname = "localhost" })
  reader:await()
  lu.assertStrContains(raised(aio.RuntimeError, sender.await, sender).message, "none over TLS")
end)

T.test_the_loop_is_closed_first = function()
  lu.skipIf(not host or UV, "there are no descriptors there")
  local one, two = host.socketpair()
  aio.run(function()
    local a, b = aio.connect_pipe(one), aio.connect_pipe(two, { fds = 4 })
    local r, w = host.pipe()
    a:send_fds("x", { r, w })
    b:read(1)
    close_all(r, w)
  end)
end

function T.test_servers_and_clients()
  lu.skipIf(not host or UV, "there are no descriptors there")
  aio.run(function()
    local path = os.tmpname()
    local _ <close> = aio.start_unix_server(function(conn)
      local data, fds = conn:recv_fds(10)
      conn:send_fds(data:upper(), fds)
      close_all(table.unpack(fds))
    end, path .. ".sock", { fds = 4 })
    os.remove(path)
    local conn <close> = aio.open_unix_connection(path .. ".sock", { fds = 4 })
    local r, w = host.pipe()
    conn:send_fds("back", { w })
    close_all(w)
    local data, fds = conn:recv_fds(10)
    lu.assertEquals(data, "BACK")
    host.write(fds[1], "hi")
    lu.assertEquals(host.read(r), "hi")
    close_all(r, fds[1])
  end)
end

function T.test_misuse()
  lu.skipIf(not host or UV, "there are no descriptors there")
  pair(function(a, b)
    local function refused(message, fn, ...)
      local ok, err = pcall(fn, ...)
      lu.assertFalse(ok)
      lu.assertStrContains(tostring(err), message)
    end
    refused("a string that is not empty", a.send_fds, a, "", { 0 })
    refused("a string that is not empty", a.send_fds, a, nil, { 0 })
    refused("a list of 1 to 253", a.send_fds, a, "x", {})
    refused("a list of 1 to 253", a.send_fds, a, "x", 0)
    refused("got boolean", a.send_fds, a, "x", { true })
    refused("-1 is no descriptor", a.send_fds, a, "x", { -1 })
    refused("bad file descriptor", a.send_fds, a, "x", { 12345 })
    refused("fds = n", a.recv_fds, a, 10)
    refused("a positive number of bytes", b.recv_fds, b, 0)
    a:write("still good")
    lu.assertEquals((b:recv_fds(100)), "still good")
    a:close()
    refused("closed", a.send_fds, a, "x", { 0 })
  end)()
  aio.run(function()
    local srv <close> = aio.start_server(function(conn) conn:read(1) end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    lu.assertStrContains(raised(aio.RuntimeError, conn.send_fds, conn, "x", { 0 }).message,
      "only a Unix socket carries descriptors")
    raised(aio.RuntimeError, conn.recv_fds, conn, 1)
    local null <close> = assert(io.open("/dev/null"))
    raised(aio.RuntimeError, aio.connect_pipe, null, { fds = 1 })
    local ok, err = pcall(aio.open_unix_connection, "/x", { fds = 0 })
    lu.assertFalse(ok)
    lu.assertStrContains(err, "option 'fds'")
  end)
end

-- ---- the other end is somebody else's program ----

local PYTHON = [[
import socket, sys, os
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
data, fds, flags, addr = socket.recv_fds(s, 100, 4)
os.write(fds[0], b"python got " + data)
os.close(fds[0])
r, w = os.pipe()
socket.send_fds(s, [b"from python"], [r])
os.write(w, b"in a pipe")
]]

function T.test_python_at_the_other_end()
  lu.skipIf(not host or UV, "there are no descriptors there")
  lu.skipIf(not os.execute("python3 -c 'import socket; socket.recv_fds' 2>/dev/null"), "no python3")
  aio.run(function()
    local path, script = os.tmpname(), os.tmpname()
    os.remove(path)
    local file = assert(io.open(script, "w"))
    file:write(PYTHON)
    file:close()
    local done = aio.Event()
    local _ <close> = aio.start_unix_server(function(conn)
      local r, w = host.pipe()
      conn:send_fds("hello", { w })
      host.close(w)
      local pipe <close> = aio.connect_pipe(r)
      lu.assertEquals(pipe:read("a"), "python got hello")
      local data, fds = conn:recv_fds(100)
      lu.assertEquals(data, "from python")
      local from <close> = aio.connect_pipe(fds[1])
      lu.assertEquals(from:read("a"), "in a pipe")
      done:set()
    end, path, { fds = 1 })
    local pid = host.spawn(("exec python3 %s %s"):format(script, path), {})
    done:wait()
    lu.assertEquals({ host.wait(pid) }, { "exit", 0 })
    os.remove(script)
  end)
end

-- Runs a program against an echo server at a Unix socket; what it prints.
local function against_echo(command)
  local path, output = os.tmpname(), os.tmpname()
  os.remove(path)
  aio.run(function()
    local done = aio.Event()
    local _ <close> = aio.start_unix_server(function(conn)
      for line in conn:lines() do conn:write("<", line, ">\n") end
      done:set()
    end, path)
    os.execute(("(%s) >%s 2>&1 </dev/null &"):format(command:gsub("PATH", path), output))
    done:wait()
  end)
  local file <close> = assert(io.open(output))
  local text
  repeat
    file:seek("set", 0)
    text = file:read("a")
  until text:find "<two>\n"
  os.remove(output)
  return text
end

function T.test_nc()
  lu.skipIf(not os.execute("command -v nc >/dev/null"), "no nc")
  lu.assertEquals(against_echo("printf 'one\\ntwo\\n' | nc -N -U PATH"), "<one>\n<two>\n")
end

function T.test_socat()
  lu.skipIf(not os.execute("command -v socat >/dev/null"), "no socat")
  lu.assertEquals(against_echo("printf 'one\\ntwo\\n' | socat -t 5 - UNIX-CONNECT:PATH"),
    "<one>\n<two>\n")
end

-- ---- who is there ----

function T.test_peercred()
  lu.skipIf(not host or UV, "this system does not tell")
  aio.run(function()
    local stat <close> = assert(io.open("/proc/self/stat"))
    local id <close> = assert(io.popen("id -u; id -g"))
    local me = { pid = stat:read("n"), uid = id:read("n"), gid = id:read("n") }
    local seen = aio.Future()
    local _ <close> = aio.start_unix_server(function(conn)
      seen:set_result(conn:get_extra_info "peercred")
    end, "\0aio-peercred-" .. me.pid)
    local conn <close> = aio.open_unix_connection("\0aio-peercred-" .. me.pid)
    lu.assertEquals(seen:await(), me)
    lu.assertEquals(conn:get_extra_info "peercred", me)
    local tcp <close> = aio.start_server(function() end, "127.0.0.1", 0)
    local other <close> = aio.open_connection("127.0.0.1", tcp.port)
    lu.assertNil(other:get_extra_info "peercred")
    conn:close()
    lu.assertNil(conn:get_extra_info "peercred")
  end)
end

-- ---- the file ----

function T.test_the_umask_says_who_may_connect()
  lu.skipIf(UV, "named pipes have no file")
  local path = os.tmpname()
  os.remove(path)
  local script = os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(([[
    local aio = require "aio"
    aio.run(function()
      local _ <close> = aio.start_unix_server(print, %q)
      os.execute("stat -c %%a %s")
    end)
  ]]):format(path, path))
  file:close()
  for mask, mode in pairs { ["077"] = "700\n", ["007"] = "770\n" } do
    local pipe = assert(io.popen("umask " .. mask .. "; " .. env.command(env.quote(script))))
    lu.assertEquals(pipe:read("a"), mode)
    pipe:close()
  end
  os.remove(script)
end

function T.test_a_path_that_is_too_long()
  lu.skipIf(UV, "libuv cuts it")
  aio.run(function()
    local path = "/tmp/" .. ("x"):rep(200)
    local err = raised(aio.OSError, aio.start_unix_server, print, path)
    lu.assertEquals(err.code, "ENAMETOOLONG")
    lu.assertStrContains(err.message, path)
    lu.assertEquals(raised(aio.OSError, aio.open_unix_connection, path).code, "ENAMETOOLONG")
  end)
end

return T
