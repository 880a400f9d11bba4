-- SPDX-License-Identifier: MIT
-- Sending files: on every kind of stream and on plain sockets, counts, positions, order, errors.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local sockets = require "support.sockets"
local streams = require "support.streams"

local with_pair = sockets.with_pair
local raised, turns = streams.raised, streams.turns
local HOSTILE = env.hostile
local LINE = "0123456789abcdef"
local LONG = HOSTILE and 20000 or 3000000 -- for a receiver that reads along
local BIG = streams.BIG -- more than the kernel takes from a sender whose peer does not read

local T, case = streams.kinds()
T.TestSocket, T.TestErrors, T.TestCancel, T.TestFiles = {}, {}, {}, {}

-- An io file with so many bytes, and what is in it.
local function file_of(size)
  local file = assert(io.tmpfile())
  local text = LINE:rep(size // #LINE + 1):sub(1, size)
  file:write(text)
  return file, text
end

-- Sends in a task, then ends the direction; the future of what sendfile returned.
local function sending(conn, ...)
  return aio.create_task(function(...)
    local sent = conn:sendfile(...)
    if conn:can_write_eof() then conn:write_eof() else conn:close() end
    return sent
  end, ...)
end

-- ---- every kind of stream ----

case("a_whole_file", function(client, peer)
  local file <close>, text = file_of(LONG)
  local task = sending(client, file)
  lu.assertTrue(peer:read "a" == text)
  lu.assertEquals(task:await(), LONG)
  lu.assertEquals(file:seek(), LONG)
end)

case("a_part", function(client, peer)
  local file <close>, text = file_of(10000)
  local task = sending(client, file, 5, 4000)
  lu.assertEquals(peer:read "a", text:sub(6, 4005))
  lu.assertEquals(task:await(), 4000)
  lu.assertEquals(file:seek(), 4005)
  lu.assertEquals(file:read(3), text:sub(4006, 4008))
end)

case("more_than_there_is", function(client, peer)
  local file <close>, text = file_of(1000)
  local task = sending(client, file, 990, 4000)
  lu.assertEquals(peer:read "a", text:sub(991))
  lu.assertEquals(task:await(), 10)
end)

case("nothing", function(client, peer)
  local file <close> = file_of(100)
  file:seek("set", 7)
  local empty <close> = io.tmpfile()
  lu.assertEquals(client:sendfile(empty), 0)
  lu.assertEquals(client:sendfile(file, 100), 0)
  lu.assertEquals(client:sendfile(file, 200, 10), 0)
  lu.assertEquals(file:seek(), 7)
  client:write "x"
  lu.assertEquals(peer:read(1), "x")
end)

case("after_what_was_written_before_and_before_what_comes_after", function(client, peer)
  local file <close>, text = file_of(50000)
  local head, tail = ("h"):rep(300000), ("t"):rep(1000)
  local task = aio.create_task(function()
    client:write_nowait(head)
    client:sendfile(file)
    client:write(tail)
    client:sendfile(file, 0, 10)
    client:close()
  end)
  lu.assertTrue(peer:read "a" == head .. text .. tail .. text:sub(1, 10))
  task:await()
end)

case("nobody_else_may_write_meanwhile", function(client, peer)
  local file <close>, text = file_of(BIG)
  local task = aio.create_task(client.sendfile, client, file, 0, HOSTILE and 500000 or nil)
  turns(3)
  lu.assertFalse(task:done())
  local err = raised(aio.RuntimeError, client.write, client, "x")
  lu.assertStrContains(err.message, "a file is being sent")
  raised(aio.RuntimeError, client.write_nowait, client, "x")
  raised(aio.RuntimeError, client.sendfile, client, file)
  raised(aio.RuntimeError, client.write_eof, client)
  local got = 0
  while got < (HOSTILE and 500000 or #text) do got = got + #peer:read(1 << 20) end
  task:await()
  client:write "x"
  lu.assertEquals(peer:read(10), "x")
end)

case("a_closed_stream_while_it_waits", function(client, _)
  local file <close> = file_of(BIG)
  local task = aio.create_task(client.sendfile, client, file)
  turns(3)
  client:abort()
  local err = raised(aio.Error, task.await, task)
  if aio.is(err, aio.OSError) then
    lu.assertEquals(err.code, "ECONNABORTED")
    lu.assertEquals(err.sent, file:seek())
  end
end)

case("cancelled_midway_the_stream_goes_on", function(client, peer)
  local file <close>, text = file_of(BIG)
  local task = aio.create_task(client.sendfile, client, file)
  turns(3)
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  local sent = file:seek()
  lu.assertTrue(sent < BIG)
  local closing = aio.create_task(function()
    client:write "rest"
    client:close()
    client:wait_closed()
  end)
  lu.assertTrue(peer:read "a" == text:sub(1, sent) .. "rest")
  closing:await()
end)

-- ---- plain sockets ----

T.TestSocket.test_a_file = with_pair(function(loop, a, b)
  local file <close>, text = file_of(LONG)
  local task = aio.create_task(loop.sock_sendfile, loop, a, file, 5, LONG - 10)
  local parts, got = {}, 0
  while got < LONG - 10 do
    parts[#parts + 1] = loop:sock_recv(b, 1 << 20)
    got = got + #parts[#parts]
  end
  lu.assertTrue(table.concat(parts) == text:sub(6, LONG - 5))
  lu.assertEquals(task:await(), LONG - 10)
  lu.assertEquals(file:seek(), LONG - 5)
end)

T.TestSocket.test_cancelled_and_closed = with_pair(function(loop, a, b)
  local file <close> = file_of(BIG)
  local task = aio.create_task(loop.sock_sendfile, loop, a, file)
  turns(2)
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  local sent, got = file:seek(), 0
  lu.assertTrue(sent > 0 and sent < BIG)
  while got < sent do got = got + #b:recv(1 << 20) end
  lu.assertEquals(got, sent)
  task = aio.create_task(loop.sock_sendfile, loop, a, file)
  turns(2)
  a:close()
  local err = raised(aio.OSError, task.await, task)
  lu.assertEquals(err.code, "ECONNABORTED")
  lu.assertEquals(err.sent, file:seek())
end)

T.TestSocket.test_wrong_arguments = with_pair(function(loop, a)
  local file <close> = file_of(10)
  local function fails(text, ...)
    lu.assertErrorMsgContains(text, loop.sock_sendfile, loop, ...)
  end
  fails("socket expected", 5, file)
  fails("argument #2", a, "file")
  fails("offset", a, file, -1)
  fails("positive", a, file, 0, 0)
  local udp <close> = aio.socket("inet", "dgram")
  fails("stream", udp, file)
end)

-- ---- files ----

local function over(fn)
  return function() aio.run(streams.over_tcp, fn) end
end

T.TestFiles.test_by_descriptor_and_by_fileno = over(function(client, peer)
  local file <close> = file_of(100)
  file:flush()
  local fd = require("aio.core")._fileno(file)
  lu.assertEquals(client:sendfile(fd, 0, 10), 10)
  lu.assertEquals(file:seek(), 10)
  lu.assertEquals(client:sendfile({ fileno = function() return fd end }, 90), 10)
  lu.assertEquals(peer:readexactly(20), LINE:sub(1, 10) .. LINE:rep(7):sub(91, 100))
end)

T.TestFiles.test_a_file_that_is_closed_meanwhile_is_sent_to_the_end = over(function(client, peer)
  local file, text = file_of(BIG)
  local task = sending(client, file)
  turns(3)
  file:close()
  local other <close> = file_of(10) -- may get the number of the closed one
  lu.assertTrue(peer:read "a" == text)
  task:await()
  lu.assertEquals(other:seek(), 10)
end)

T.TestFiles.test_a_file_that_gets_shorter = over(function(client, peer)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w+b"))
  file:write(("x"):rep(BIG))
  local task = sending(client, file)
  turns(3)
  assert(io.open(path, "wb")):close()
  local got = peer:read "a"
  lu.assertEquals(task:await(), #got)
  lu.assertTrue(#got < BIG)
  os.remove(path)
end)

-- The kernel has no way to send these.
T.TestFiles.test_a_file_of_proc = over(function(client, peer)
  local function of_proc() return assert(io.open "/proc/self/cmdline") end
  local again <close> = of_proc()
  local text = again:read "a"
  local file <close> = of_proc()
  lu.assertEquals(client:sendfile(file, 1), #text - 1)
  lu.assertEquals(peer:readexactly(#text - 1), text:sub(2))
  local a <close>, b = aio.socketpair()
  local _ <close> = b
  lu.assertEquals(aio.get_running_loop():sock_sendfile(a, file, 0, 5), 5)
  lu.assertEquals(b:recv(100), text:sub(1, 5))
  lu.assertEquals(file:read(1), text:sub(6, 6))
end)

T.TestFiles.test_others_get_their_turn = over(function(client, peer)
  local file <close> = file_of(BIG)
  local others = 0
  local task = sending(client, file)
  local ticker = aio.create_task(function()
    while not task:done() do
      others = others + 1
      aio.sleep(0)
    end
  end)
  while peer:read(1 << 20) do end
  ticker:await()
  lu.assertTrue(others >= 8)
end)

-- ---- errors ----

T.TestErrors.test_what_is_no_regular_file = over(function(client, peer)
  local pipe <close> = assert(io.popen "echo hello")
  local err = raised(aio.SendfileNotAvailableError, client.sendfile, client, pipe)
  lu.assertStrContains(err.message, "not a regular file")
  lu.assertEquals(raised(aio.OSError, client.sendfile, client, 99999).code, "EBADF")
  client:write "x"
  lu.assertEquals(peer:read(1), "x")
end)

T.TestErrors.test_a_file_that_is_only_written = over(function(client, peer)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  os.remove(path)
  file:write "text"
  local err = raised(aio.OSError, client.sendfile, client, file)
  lu.assertEquals(err.message, "sendfile: this file is not open for reading")
  lu.assertEquals({ err.code, err.sent }, { "EBADF", 0 })
  client:write "x"
  lu.assertEquals(peer:read(1), "x")
end)

T.TestErrors.test_arguments = over(function(client)
  local file <close> = file_of(10)
  local function fails(text, ...) lu.assertErrorMsgContains(text, client.sendfile, client, ...) end
  fails("io file, descriptor")
  fails("io file, descriptor", "name")
  fails("fileno()", {})
  fails("offset", file, -1)
  fails("offset", file, 1.5)
  fails("positive", file, 0, 0)
  fails("positive", file, 0, "x")
  local closed = io.tmpfile()
  closed:close()
  fails("closed", closed)
  client:write_eof()
  raised(aio.RuntimeError, client.sendfile, client, file)
  client:close()
  lu.assertStrContains(raised(aio.RuntimeError, client.sendfile, client, file).message, "closed")
end)

T.TestErrors.test_the_peer_goes_away = over(function(client, peer)
  local file <close> = file_of(BIG)
  local task = aio.create_task(client.sendfile, client, file)
  turns(3)
  peer:abort()
  local err = raised(aio.OSError, task.await, task)
  lu.assertTrue(err.code == "ECONNRESET" or err.code == "EPIPE", err.code)
  lu.assertEquals(err.sent, file:seek())
  client:abort()
end)

return T
