-- SPDX-License-Identifier: MIT
-- add_reader, add_writer: callbacks when a descriptor is ready, of sockets, pipes and of a library
-- with descriptors of its own.

local lu = require "luaunit"
local aio = require "aio"
local core = require "aio.core"
local env = require "support.env"
local sockets = require "support.sockets"
local streams = require "support.streams"
local datagrams = require "support.datagrams"

local with_pair, refused = sockets.with_pair, sockets.refused
local raised = streams.raised
local UV = datagrams.over_uv() -- libuv's own watches

local T = { TestWatch = {}, TestErrors = {}, TestForeign = {} }

T.TestWatch.test_reader_is_called_while_something_is_there = with_pair(function(loop, a, b)
  local got, done = {}, aio.Event()
  loop:add_reader(a, function(...)
    got[#got + 1] = a:recv(1) .. table.concat({ ... })
    if #got == 3 then done:set() end
  end, "-", 1)
  b:send("xyz")
  done:wait()
  lu.assertEquals(got, { "x-1", "y-1", "z-1" })
  lu.assertTrue(loop:remove_reader(a))
  lu.assertFalse(loop:remove_reader(a))
end)

T.TestWatch.test_by_number = with_pair(function(loop, a, b)
  local got = loop:create_future()
  loop:add_reader(a:fileno(), function() got:set_result(a:recv(10)) loop:remove_reader(a) end)
  b:send("x")
  lu.assertEquals(got:await(), "x")
  lu.assertFalse(loop:remove_reader(a:fileno()))
end)

T.TestWatch.test_whatever_has_fileno = with_pair(function(loop, a, b)
  local got = loop:create_future()
  local object = { fileno = function() return a:fileno() end }
  loop:add_reader(object, function() got:set_result(a:recv(10)) loop:remove_reader(object) end)
  b:send("x")
  lu.assertEquals(got:await(), "x")
end)

function T.TestWatch.test_a_pipe_from_io()
  aio.run(function()
    local loop, done = aio.get_running_loop(), aio.Event()
    local pipe <close> = assert(io.popen "echo hello")
    loop:add_reader(pipe, function()
      loop:remove_reader(pipe)
      done:set()
    end)
    done:wait()
    lu.assertEquals(pipe:read "l", "hello")
  end)
end

T.TestWatch.test_both_directions_of_one_descriptor = with_pair(function(loop, a, b)
  local read, written = loop:create_future(), loop:create_future()
  loop:add_reader(a, function() read:set_result(a:recv(10)) loop:remove_reader(a) end)
  loop:add_writer(a, function() written:set_result(true) loop:remove_writer(a) end)
  lu.assertTrue(written:await())
  b:send("x")
  lu.assertEquals(read:await(), "x")
  lu.assertFalse(loop:remove_writer(a))
end)

T.TestWatch.test_the_end_of_file_is_ready = with_pair(function(loop, a, b)
  local got = loop:create_future()
  loop:add_reader(a, function()
    got:set_result(a:recv(10) == nil)
    loop:remove_reader(a)
  end)
  b:close()
  lu.assertTrue(got:await())
end)

T.TestWatch.test_a_removed_callback_is_not_called_any_more = with_pair(function(loop, a, b)
  b:send("x")
  local called = 0
  loop:add_reader(a, function() called = called + 1 end)
  loop:add_writer(a, function()
    loop:remove_reader(a)
    loop:remove_writer(a)
  end)
  streams.polled()
  lu.assertTrue(called <= 1)
  lu.assertFalse(loop:remove_writer(a))
end)

T.TestWatch.test_callbacks_have_the_context_of_the_one_who_added_them = with_pair(
  function(loop, a, b)
    local var, got = aio.ContextVar "v", loop:create_future()
    var:set("mine")
    loop:add_reader(a, function() got:set_result(var:get()) loop:remove_reader(a) end)
    var:set("later")
    b:send("x")
    lu.assertEquals(got:await(), "mine")
  end)

T.TestWatch.test_errors_go_to_the_handler_and_the_callback_stays = with_pair(function(loop, a, b)
  local seen, done = {}, aio.Event()
  loop:set_exception_handler(function(_, ctx) seen[#seen + 1] = ctx end)
  loop:add_reader(a, function()
    local data = a:recv(1)
    if data == "2" then done:set() end
    error("oops " .. data)
  end)
  b:send("12")
  done:wait()
  aio.sleep(0)
  loop:remove_reader(a)
  loop:set_exception_handler(nil)
  lu.assertEquals(#seen, 2)
  lu.assertEquals(seen[1].kind, "callback_error")
  lu.assertStrContains(seen[1].exception, "oops 1")
  lu.assertNotNil(seen[1].handle)
end)

T.TestWatch.test_handles_are_counted = with_pair(function(loop, a)
  local before = core.stats().handles
  loop:add_reader(a, print)
  loop:add_writer(a, print)
  loop:add_writer(a, print)
  lu.assertEquals(core.stats().handles, before + 2)
  loop:remove_reader(a)
  loop:remove_writer(a)
  lu.assertEquals(core.stats().handles, before)
end)

T.TestWatch.test_closing_the_socket_removes_its_callbacks = with_pair(function(loop, a)
  local before = core.stats().handles
  loop:add_reader(a, print)
  loop:add_writer(a:fileno(), function() end)
  a:close()
  lu.assertEquals(core.stats().handles, before)
  lu.assertErrorMsgContains("closed", loop.remove_reader, loop, a)
end)

-- The collector runs while a callback is added, and a finalizer adds another one for that number.
function T.TestWatch.test_a_finalizer_that_adds_meanwhile()
  local _ <close> = aio.defer(function() collectgarbage("incremental", 200, 100, 13) end)
  aio.run(function()
    local loop, before = aio.get_running_loop(), core.stats().handles
    for garbage = 1, 60 do
      local a <close>, b = aio.socketpair()
      local _ <close> = b
      local fd, called = a:fileno(), aio.Event()
      local function note() called:set() end
      collectgarbage()
      collectgarbage "stop"
      for _ = 1, garbage do
        setmetatable({}, { __gc = function() loop:add_reader(fd, note) end })
      end
      collectgarbage("incremental", 1, 1000, 1) -- nearly each allocation is a step
      collectgarbage "restart"
      loop:add_reader(fd, note)
      collectgarbage()
      b:send "x"
      aio.timeout(20, called.wait, called)
      lu.assertTrue(loop:remove_reader(fd))
      collectgarbage()
    end
    lu.assertEquals(core.stats().handles, before)
  end)
end

function T.TestWatch.test_what_is_left_goes_with_the_loop()
  local a, b = aio.socketpair()
  aio.run(function()
    local loop = aio.get_running_loop()
    loop:add_reader(a, print)
    loop:add_writer(b:fileno(), function() end)
    aio.sleep(0)
  end)
  aio.run(function() -- another loop
    local loop, got = aio.get_running_loop(), aio.Future()
    loop:add_reader(a, function() got:set_result(a:recv(1)) loop:remove_reader(a) end)
    b:send("x")
    lu.assertEquals(got:await(), "x")
  end)
  a:close()
  b:close()
end

function T.TestWatch.test_a_loop_that_is_stepped()
  local loop = aio.new_event_loop()
  local a, b = aio.socketpair()
  local got
  loop:add_reader(a, function() got = a:recv(10) end)
  loop:step(0)
  b:send("x")
  while not got do loop:step(0.1) end
  lu.assertEquals(got, "x")
  loop:close()
  a:close()
  b:close()
end

-- ---- errors ----

function T.TestErrors.test_a_regular_file()
  aio.run(function()
    local loop, file <close> = aio.get_running_loop(), io.tmpfile()
    local err = raised(aio.OSError, loop.add_reader, loop, file, print)
    lu.assertEquals(err.code, "EPERM")
    if not UV then lu.assertStrContains(err.message, "regular file") end
    lu.assertFalse(loop:remove_reader(file))
  end)
end

function T.TestErrors.test_a_descriptor_that_is_not_open()
  aio.run(function()
    local loop = aio.get_running_loop()
    local err = raised(aio.OSError, loop.add_writer, loop, 99999, print)
    lu.assertEquals(err.code, "EBADF")
    lu.assertStrContains(err.message, "descriptor 99999")
    lu.assertFalse(loop:remove_writer(99999))
  end)
end

-- Somebody closes a descriptor that is watched, before the loop has told the kernel of it and after
-- that; then its number belongs to a socket.
function T.TestErrors.test_a_descriptor_closed_behind_our_back()
  if UV then return lu.skip("libuv ends the process then") end
  aio.run(function()
    local loop = aio.get_running_loop()
    for turns = 0, 2 do
      local pipe = assert(io.popen("cat", "w")) -- there is never anything to read at this end
      local called, closed = false, true
      loop:add_reader(pipe, function() called = called or closed end)
      streams.turns(turns)
      pipe:close()
      streams.polled()
      lu.assertFalse(called)
      closed = false -- from here on another has the number
      local a <close>, b = aio.socketpair()
      local _ <close> = b
      b:send "x"
      a:send "y"
      lu.assertEquals(loop:sock_recv(a, 10), "x")
      lu.assertEquals(loop:sock_recv(b, 10), "y")
      for _, s in ipairs { a, b } do -- one of them has the number of the pipe
        local got = loop:create_future()
        loop:add_reader(s, function() got:set_result(s:recv(10)) loop:remove_reader(s) end)
        local waiting = aio.create_task(loop.sock_recv, loop, s == a and b or a, 10)
        aio.sleep(0)
        a:send "1"
        b:send "2"
        lu.assertEquals(got:await(), s == a and "2" or "1")
        lu.assertEquals(waiting:await(), s == a and "1" or "2")
      end
    end
  end)
end

-- The same with a file that is still open elsewhere, by another number here: the kernel goes on to
-- report it, to nobody.
local function closed_but_open_elsewhere(fn)
  return function()
    if UV then return lu.skip("libuv ends the process then") end
    if not env.host then return lu.skip("needs the test interpreter") end
    aio.run(function()
      local loop = aio.get_running_loop()
      local a, b <close> = aio.socketpair()
      local c <close>, d = aio.socketpair() -- a watch that stays
      local _ <close> = d
      local fd, got, called = a:detach(), loop:create_future(), 0
      local kept = env.host.dup(fd)
      loop:add_reader(c, function() got:set_result(c:recv(10)) loop:remove_reader(c) end)
      loop:add_reader(fd, function() called = called + 1 end)
      loop:add_writer(fd, function() loop:remove_writer(fd) end)
      streams.polled()
      aio.close_fd(fd)
      fn(loop, fd, b)
      collectgarbage()
      b:send "x"
      streams.polled()
      streams.polled()
      lu.assertEquals(called, 0)
      d:send "y"
      lu.assertEquals(got:await(), "y")
      env.host.close(kept)
    end)
  end
end

T.TestErrors.test_closed_open_elsewhere_and_removed = closed_but_open_elsewhere(function(loop, fd)
  lu.assertTrue(loop:remove_reader(fd))
end)

T.TestErrors.test_closed_open_elsewhere_and_the_number_again = closed_but_open_elsewhere(
  function(loop, fd, b)
    local c <close>, d = aio.socketpair()
    local _ <close> = d
    local new = c:fileno() == fd and c or d
    lu.assertEquals(new:fileno(), fd)
    local wrong
    loop:add_reader(new, function() wrong = true end)
    b:send "x" -- to the one that nobody reads any more
    streams.polled()
    lu.assertNil(wrong)
    loop:remove_reader(new)
  end)

-- A task that waits for such a socket hears of it, at the latest when another watch ends.
T.TestErrors.test_closed_open_elsewhere_while_a_task_waits = closed_but_open_elsewhere(
  function(loop, fd)
    local e <close>, f = aio.socketpair()
    local _ <close> = f
    local waiting = aio.create_task(loop.sock_recv, loop, e, 10)
    streams.polled()
    local kept = env.host.dup(e:fileno())
    aio.close_fd(e:fileno())
    loop:remove_reader(fd)
    f:send "x"
    lu.assertEquals(raised(aio.OSError, waiting.await, waiting).code, "EBADF")
    env.host.dup(kept, e:fileno()) -- which it will close
    env.host.close(kept)
  end)

T.TestErrors.test_arguments = with_pair(function(loop, a)
  for call in pairs { add_reader = 1, add_writer = 1 } do
    local add = loop[call]
    lu.assertStrContains(refused(add, loop, "x", print), "descriptor, or")
    lu.assertStrContains(refused(add, loop, -1, print), "not negative")
    lu.assertStrContains(refused(add, loop, 1.5, print), "integer")
    lu.assertStrContains(refused(add, loop, {}, print), "fileno()")
    lu.assertStrContains(refused(add, loop, a), "function expected")
    lu.assertStrContains(refused(add, loop, a, {}), "function expected")
    lu.assertStrContains(refused(add, a, a, print), "Loop expected")
  end
end)

function T.TestErrors.test_a_closed_loop_or_socket()
  local loop, a, b = aio.new_event_loop(), aio.socketpair()
  a:close()
  lu.assertStrContains(refused(loop.add_reader, loop, a, print), "closed")
  loop:close()
  lu.assertStrContains(refused(loop.add_reader, loop, b, print), "closed")
  lu.assertStrContains(refused(loop.remove_reader, loop, b), "closed")
  b:close()
end

-- ---- a library with descriptors of its own ----

local HEADER = ">I2I2I2I2I2I2" -- of DNS: id, flags, how many questions, answers and two more
local ZONE = { ["www.lua.example"] = "10.1.2.3", ["ftp.lua.example"] = "10.1.2.4" }

local function answer(packet)
  local id, at, labels = (">I2"):unpack(packet), HEADER:packsize() + 1, {}
  repeat
    labels[#labels + 1], at = ("s1"):unpack(packet, at)
  until labels[#labels] == ""
  local host = ZONE[table.concat(labels, ".", 1, #labels - 1):lower()]
  local asked = packet:sub(HEADER:packsize() + 1, at + 3)
  if not host then return HEADER:pack(id, 0x8183, 1, 0, 0, 0) .. asked end
  local bytes = string.char(host:match "(%d+)%.(%d+)%.(%d+)%.(%d+)")
  return HEADER:pack(id, 0x8180, 1, 1, 0, 0) .. asked
    .. (">I2I2I2I4s2"):pack(0xC00C, 1, 1, 300, bytes)
end

-- Asks by c-ares, which says which of its descriptors it wants to be watched. The results in the
-- order in which they came.
local function resolve(cares, port, names)
  local loop, done = aio.get_running_loop(), aio.Event()
  local channel, results = cares.new(port), {}
  local function follow()
    for fd, readable, writable in channel.change, channel do
      if readable then
        loop:add_reader(fd, function() channel:process(fd) follow() end)
      else
        loop:remove_reader(fd)
      end
      if writable then
        loop:add_writer(fd, function() channel:process(nil, fd) follow() end)
      else
        loop:remove_writer(fd)
      end
    end
    if not done:is_set() then
      for result in channel.result, channel do results[#results + 1] = result end
    end
    if #results == #names then done:set() end
  end
  for _, name in ipairs(names) do channel:query(name) end
  follow()
  done:wait()
  channel:close() -- closes its descriptors, and says so
  follow()
  table.sort(results)
  return results
end

function T.TestForeign.test_c_ares()
  local path = env.build and env.build .. "/tests/cares.so"
  local open = path and package.loadlib(path, "luaopen_cares")
  if not open then return lu.skip("needs c-ares") end
  local cares = open()
  aio.run(function()
    local server <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
    local task = aio.create_task(function()
      for packet, from in server:datagrams() do server:send(answer(packet), from) end
    end)
    local port = server:get_extra_info "sockname".port
    local results = resolve(cares, port, { "www.lua.example", "ftp.lua.example", "no.example" })
    lu.assertEquals(results[1], "10.1.2.3")
    lu.assertEquals(results[2], "10.1.2.4")
    lu.assertStrContains(results[3], "not found")
    server:close()
    task:await()
  end)
end

return T
