-- SPDX-License-Identifier: MIT
-- Streams over descriptors: pipes, FIFOs, files, devices, sockets, and the process's own three.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"

local host, raised = env.host, streams.raised


local T = {}

local function with_pipe(fn)
  return function()
    lu.skipIf(not host, "needs the test interpreter")
    aio.run(fn, host.pipe())
  end
end

local function with_sockets(fn)
  return function()
    lu.skipIf(not host, "needs the test interpreter")
    aio.run(fn, host.socketpair())
  end
end

function T.test_the_three_are_streams()
  aio.run(function()
    for _, open in ipairs { aio.stdin, aio.stdout, aio.stderr } do
      local stream <close> = open()
      lu.assertIsBoolean(stream:isatty())
    end
  end)
end

-- ---- pipes ----

T.test_a_pipe = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r)
  local to <close> = aio.connect_pipe(w)
  to:write("one\ntwo\n", 3)
  lu.assertEquals(from:read("l"), "one")
  lu.assertEquals(from:readuntil "\n", "two\n")
  to:close()
  lu.assertEquals(from:read("a"), "3")
  lu.assertNil(from:read(1))
end)

T.test_a_number_is_taken_over = with_pipe(function(r, w)
  local from, to = aio.connect_pipe(r), aio.connect_pipe(w)
  lu.assertEquals(from:get_extra_info "fileno", r)
  lu.assertTrue(host.closed_on_exec(r))
  from:close()
  to:close()
  lu.assertFalse(host.is_open(r))
  lu.assertFalse(host.is_open(w))
end)

T.test_more_than_a_pipe_holds = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r)
  local data = ("0123456789abcdef"):rep(65536)
  local task = aio.create_task(function()
    local to <close> = aio.connect_pipe(w)
    to:write(data)
  end)
  lu.assertEquals(from:read("a"), data)
  task:await()
end)

T.test_write_eof_of_a_pipe = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r)
  local to <close> = aio.connect_pipe(w)
  lu.assertTrue(to:can_write_eof())
  to:write("last")
  to:write_eof()
  lu.assertEquals(from:read("a"), "last")
  lu.assertFalse(host.is_open(w))
  raised(aio.RuntimeError, to.write, to, "more")
end)

T.test_nobody_reads_any_more = with_pipe(function(r, w)
  local to <close> = aio.connect_pipe(w)
  local full = aio.create_task(function() to:write(("x"):rep(1000000)) end)
  aio.sleep(0)
  host.close(r)
  lu.assertEquals(raised(aio.OSError, full.await, full).code, "EPIPE")
  lu.assertEquals(raised(aio.OSError, to.write, to, "x").code, "EPIPE")
end)

-- As under a host that steps the loop: nobody ignores SIGPIPE.
T.test_no_signal_kills = with_pipe(function(r, w)
  host.close(r)
  host.close(w)
  local out = env.shell([[
    local loop = aio.new_event_loop()
    local task = loop:create_task(function()
      local r, w = require'testhost'.pipe()
      local to <close> = aio.connect_pipe(w)
      require'testhost'.close(r)
      for _ = 1, 3 do print((aio.catch(aio.OSError, to.write, to, "x"))) end
    end)
    while not task:done() do loop:step() end
    task:result()
    loop:close()
    print "alive"
  ]], "%s")
  lu.assertEquals(out, "false\nfalse\nfalse\nalive\n")
end)

T.test_cancelled_read_loses_nothing = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r)
  local to <close> = aio.connect_pipe(w)
  local reader = aio.create_task(from.readexactly, from, 4)
  to:write("ab")
  aio.sleep(0)
  reader:cancel()
  lu.assertFalse((pcall(reader.await, reader)))
  to:write("cd")
  lu.assertEquals(from:readexactly(4), "abcd")
end)

T.test_the_other_direction = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r)
  local to <close> = aio.connect_pipe(w)
  local err = raised(aio.OSError, from.write, from, "x")
  lu.assertEquals(err.code, "EBADF")
  lu.assertStrContains(err.message, "this stream cannot write")
  lu.assertStrContains(raised(aio.OSError, to.read, to, 1).message, "this stream cannot read")
end)

T.test_the_flags_of_others_stay = with_pipe(function(r, w)
  local r2, w2 = host.dup(r), host.dup(w) -- share their descriptions with r and w
  local from <close> = aio.connect_pipe(r)
  local to <close> = aio.connect_pipe(w)
  to:write("x")
  lu.assertEquals(from:read(1), "x")
  lu.assertFalse(host.nonblocking(r2))
  lu.assertFalse(host.nonblocking(w2))
  host.close(r2)
  host.close(w2)
end)

T.test_same_descriptor_twice = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r)
  lu.assertEquals(raised(aio.OSError, aio.connect_pipe, r).code, "EEXIST")
  host.write(w, "x")
  lu.assertEquals(from:read(1), "x")
  local to <close> = aio.connect_pipe(w) -- is not polled as long as it can write
  lu.assertEquals(raised(aio.OSError, aio.connect_pipe, w).code, "EEXIST")
  to:write("y")
  lu.assertEquals(from:read(1), "y")
end)

T.test_same_socket_twice = with_sockets(function(a, b)
  local one <close> = aio.open_connection { sock = a }
  lu.assertEquals(raised(aio.OSError, aio.open_connection, { sock = a }).code, "EEXIST")
  lu.assertEquals(raised(aio.OSError, aio.connect_pipe, a).code, "EEXIST")
  host.write(b, "x")
  lu.assertEquals(one:read(1), "x")
  host.close(b)
end)

-- Closes what a stream has, behind its back, and puts something else there, or nothing.
local function steal(fd, other)
  if other then host.dup(other, fd) else host.close(fd) end
end

-- Such a stream gets an error when it is to be polled (libuv would end the process).
for _, what in ipairs { "nothing", "a_file" } do
  T["test_behind_its_back_" .. what] = with_pipe(function(r, w)
    local file <close> = assert(io.open(arg[0]))
    local other, code = nil, "EBADF"
    if what == "a_file" then other, code = require("aio.core")._fileno(file), "EPERM" end
    local from, to = aio.connect_pipe(r), aio.connect_pipe(w)
    to:write("x")
    lu.assertEquals(from:read(1), "x") -- polled by now, and no longer when there is too much
    while to:write_nowait(("x"):rep(65536)) do end
    steal(w, other)
    lu.assertEquals(raised(aio.OSError, to.drain, to).code, code)
    to:abort()
    aio.timeout(60, function() while from:read(65536) do end end)
    from:close()
    lu.assertFalse(host.is_open(w))
  end)
  T["test_behind_the_back_of_a_new_one_" .. what] = with_sockets(function(a, b)
    local file <close> = assert(io.open(arg[0]))
    local other, code = nil, "EBADF"
    if what == "a_file" then other, code = require("aio.core")._fileno(file), "EPERM" end
    local one = aio.open_connection { sock = a }
    local two = aio.connect_pipe(b)
    steal(a, other)
    steal(b, other)
    lu.assertEquals(raised(aio.OSError, one.read, one, 1).code, code)
    lu.assertEquals(raised(aio.OSError, two.read, two, 1).code, code)
    one:abort()
    two:abort()
  end)
end

T.test_limit = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe(r, { limit = 4 })
  host.write(w, "123456\n12\n")
  raised(aio.LimitOverrunError, from.readline, from)
  lu.assertEquals(from:readline(), "12\n")
  host.close(w)
end)

-- ---- files and objects ----

local function temporary(data)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(data or "")
  file:close()
  return path, setmetatable({}, { __close = function() os.remove(path) end })
end

function T.test_a_regular_file()
  aio.run(function()
    local data = ("line\n"):rep(100000)
    local path, _ <close> = temporary(data)
    local file = assert(io.open(path))
    local from <close> = aio.connect_pipe(file)
    lu.assertEquals(from:read("l"), "line")
    lu.assertEquals(from:read("a"), data:sub(6))
    lu.assertNil(from:read(1))
    lu.assertEquals(io.type(file), "file")
    file:close()
  end)
end

function T.test_writing_to_a_file()
  aio.run(function()
    local path, _ <close> = temporary()
    local file <close> = assert(io.open(path, "w"))
    file:write("first\n") -- still in the buffer of the file
    local to <close> = aio.connect_pipe(file)
    for i = 1, 9 do to:write("line ", i, "\n") end
    to:write({ "a", "b", "c", "d", "e", "f", "g" }, ("x"):rep(300000))
    lu.assertFalse(to:can_write_eof())
    lu.assertEquals(raised(aio.OSError, to.write_eof, to).code, "ENOTSUP")
    to:close()
    local content = assert(io.open(path)):read("a")
    lu.assertEquals(content:match "^first\nline 1\n.-line 9\nabcdefg", content:sub(1, 6 + 63 + 7))
    lu.assertEquals(#content, 6 + 63 + 7 + 300000)
  end)
end

function T.test_devices()
  aio.run(function()
    local null <close> = assert(io.open("/dev/null", "r+"))
    local a <close> = aio.connect_pipe(null)
    a:write("gone")
    lu.assertNil(a:read(1))
    local zero <close> = assert(io.open("/dev/zero"))
    local b <close> = aio.connect_pipe(zero)
    lu.assertEquals(b:readexactly(5), ("\0"):rep(5))
  end)
end

function T.test_a_full_device()
  aio.run(function()
    local file <close> = assert(io.open("/dev/full", "w"))
    local to <close> = aio.connect_pipe(file)
    lu.assertEquals(raised(aio.OSError, to.write, to, "x").code, "ENOSPC")
  end)
end

T.test_an_object_with_fileno = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe { fileno = function() return r end }
  host.write(w, "data")
  lu.assertEquals(from:read(10), "data")
  from:close()
  lu.assertTrue(host.is_open(r))
  host.close(r)
  host.close(w)
end)

-- What nobody asked for stays for whoever else has the pipe.
T.test_reads_only_when_asked = with_pipe(function(r, w)
  local from <close> = aio.connect_pipe { fileno = function() return r end }
  host.write(w, "data")
  streams.polled()
  lu.assertEquals(host.read(r), "data")
  lu.assertFalse(from:at_eof())
  host.close(r)
  host.close(w)
end)

function T.test_a_socket()
  lu.skipIf(not host, "needs the test interpreter")
  aio.run(function()
    local a, b = host.socketpair()
    local a2 = host.dup(a)
    local one <close> = aio.connect_pipe(a)
    local two <close> = aio.connect_pipe(b)
    one:write("there\n")
    lu.assertEquals(two:read("l"), "there")
    two:write("and back\n")
    two:write_eof()
    lu.assertEquals(one:read("a"), "and back\n")
    lu.assertFalse(host.nonblocking(a2))
    host.close(a2)
    one:close()
    lu.assertNil(two:read(1))
  end)
end

-- ---- misuse ----

function T.test_what_is_no_descriptor()
  aio.run(function()
    local function refused(x, message, opts)
      local ok, err = pcall(aio.connect_pipe, x, opts)
      lu.assertFalse(ok)
      lu.assertStrContains(tostring(err), message)
      lu.assertStrContains(tostring(err), "test_stdio.lua")
    end
    refused(-1, "a descriptor, 0 or above, expected, got -1")
    refused(1.5, "a descriptor, 0 or above, expected, got 1.5")
    refused("0", "got string")
    refused(nil, "got nil")
    refused({}, "got table")
    local file = assert(io.open("/dev/null"))
    file:close()
    refused(file, "an open file expected, got a closed one")
    refused({ fileno = function() return -1 end }, "is it closed?")
    refused(0, "unknown option", { size = 1 })
    refused(0, "option 'limit'", { limit = 0 })
  end)
end

function T.test_a_descriptor_that_is_not_open()
  aio.run(function()
    local err = raised(aio.OSError, aio.connect_pipe, 12345)
    lu.assertEquals(err.code, "EBADF")
    lu.assertStrContains(err.message, "cannot connect to descriptor 12345")
  end)
end

function T.test_a_folder()
  aio.run(function()
    local folder <close> = assert(io.open("/"))
    lu.assertEquals(raised(aio.OSError, aio.connect_pipe, folder).code, "EISDIR")
  end)
end

function T.test_not_a_terminal()
  aio.run(function()
    local null <close> = assert(io.open("/dev/null"))
    local s <close> = aio.connect_pipe(null)
    lu.assertFalse(s:isatty())
    lu.assertEquals(raised(aio.OSError, s.set_mode, s, "raw").code, "ENOTTY")
    lu.assertEquals(raised(aio.OSError, s.get_window_size, s).code, "ENOTTY")
  end)
end

-- ---- stdin, stdout, stderr ----

local CAT = [[
  aio.run(function()
    local input, output = aio.stdin(), aio.stdout()
    assert(input == aio.stdin() and output == aio.stdout())
    for line in input:lines() do output:write("<", line, ">\n") end
    aio.stderr():write("done\n")
  end)
]]

function T.test_stdin_and_stdout_as_pipes()
  lu.assertEquals(env.shell(CAT, "printf 'a\\nb\\nc' | %s 2>&1 | cat"), "<a>\n<b>\n<c>\ndone\n")
end

function T.test_stdin_and_stdout_as_files()
  local path, _ <close> = temporary("a\nb\n")
  local out, _ <close> = temporary()
  env.shell(CAT, "%s <" .. path .. " >" .. out .. " 2>&1")
  lu.assertEquals(assert(io.open(out)):read("a"), "<a>\n<b>\ndone\n")
end

function T.test_appending()
  local out, _ <close> = temporary("before\n")
  env.shell(CAT, "echo x | %s >>" .. out .. " 2>&1")
  lu.assertEquals(assert(io.open(out)):read("a"), "before\n<x>\ndone\n")
end

function T.test_null()
  lu.assertEquals(env.shell(CAT, "%s </dev/null >/dev/null 2>&1; echo $?"), "0\n")
end

function T.test_closed()
  lu.skipIf(env.valgrind, "valgrind needs the three itself")
  lu.assertEquals(env.shell(CAT, "%s <&- >&- 2>&-; echo $?"), "0\n")
end

function T.test_print_beside_stdout()
  lu.assertEquals(env.shell([[
    aio.run(function()
      local out = aio.stdout()
      for i = 1, 200 do
        out:write("stream ", i, ("."):rep(1000), "\n")
        print("print " .. i)
        io.write("io.write ", i, "\n")
        io.stdout:flush()
      end
    end)
  ]], "%s | sed 's/\\.//g' | cksum"), env.shell([[
    for i = 1, 200 do
      print("stream " .. i)
      print("print " .. i)
      print("iowrite " .. i)
    end
  ]], "%s | cksum"))
end

function T.test_all_is_written_before_the_end()
  lu.assertEquals(env.shell([[
    aio.run(function() aio.stdout():write_nowait(("x"):rep(1000000)) end)
  ]], "%s | wc -c"):match "%d+", "1000000")
end

function T.test_the_reader_of_stdout_goes_away()
  lu.assertEquals(env.shell([[
    aio.run(function()
      local out = aio.stdout()
      local ok, err
      repeat ok, err = aio.catch(aio.OSError, out.write, out, ("x"):rep(10000), "\n") until not ok
      io.stderr:write(err.code)
    end)
  ]], "{ %s | head -n 1 >/dev/null; } 2>&1"), "EPIPE")
end

function T.test_closing_stdin_leaves_the_descriptor()
  local read = os.tmpname() -- it goes when the first line has been read
  lu.assertEquals(env.shell(("local read = %q\n"):format(read) .. [[
    aio.run(function()
      local input = aio.stdin()
      assert(input:read("l") == "one")
      os.remove(read)
      input:close()
      aio.stdout():close()
      aio.stdout():write("again\n")
    end)
    print(io.read("a"))
  ]], "{ echo one; while [ -e " .. read .. " ]; do sleep 0.05; done; echo two; } | %s"),
    "again\ntwo\n\n")
end

T.test_flags_of_the_three = with_pipe(function(r, w)
  local code = [[
    aio.run(function()
      aio.stdout():write(aio.stdin():read("l"), "\n")
      print(require'testhost'.nonblocking(0), require'testhost'.nonblocking(1))
    end)
  ]]
  lu.assertEquals(env.shell(code, "echo x | %s | cat"), "x\nfalse\tfalse\n")
  local a, b = host.socketpair()
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  file:write("local aio = require 'aio'\n", code)
  file:close()
  local pid = host.spawn(env.command(env.quote(path)), { [0] = a, a })
  local peer <close> = aio.connect_pipe(b)
  peer:write("y\n")
  lu.assertEquals(peer:read("l"), "y")
  lu.assertEquals(peer:read("l"), "false\tfalse")
  host.wait(pid)
  os.remove(path)
  for _, fd in ipairs { a, r, w } do host.close(fd) end
end)

return T
