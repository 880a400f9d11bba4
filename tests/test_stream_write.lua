-- SPDX-License-Identifier: MIT
-- Streams: writing with back-pressure, fairness, half-close, close, abort and a peer that goes.

local lu = require "luaunit"
local aio = require "aio"
local streams = require "support.streams"

local raised, turns, HIGH, BIG =
  streams.raised, streams.turns, streams.HIGH, streams.BIG

local T, case = streams.kinds()

-- ---- writing ----

case("write_takes_strings_numbers_and_lists", function(client, peer)
  client:write("a", 1, { "b", 2, 3.5 }, {}, "", "c")
  client:writelines { "d\n", 4 }
  client:write()
  client:write_eof()
  lu.assertEquals(peer:read("a"), "a1b23.5cd\n4")
end)

case("write_many_pieces_at_once", function(client, peer)
  local list, expected = {}, {}
  for i = 1, 3000 do
    list[i] = i % 3 == 0 and i or ("piece %d,"):format(i)
    expected[i] = tostring(list[i])
  end
  client:write(list)
  client:write_eof()
  lu.assertEquals(peer:read("a"), table.concat(expected))
end)

case("a_writer_waits_for_a_slow_reader", function(client, peer)
  local data = ("0123456789abcdef"):rep(BIG // 16)
  local writer = aio.create_task(function()
    client:write(data)
    client:write("|", data:sub(1, 5))
    client:write_eof()
  end)
  turns(20)
  lu.assertFalse(writer:done())
  local n, last = 0, nil
  for part in peer:lines(100000) do
    lu.assertTrue(#part <= 100000)
    n = n + #part
    last = part
  end
  writer:await()
  lu.assertEquals(n, BIG + 6)
  lu.assertEquals(last:sub(-6), "|01234")
end)

case("long_and_short_pieces_keep_their_order", function(client, peer)
  local parts = {}
  for i = 1, 60 do
    parts[i] = (i % 2 == 0 and "s" or ("L"):rep(150000 + i)) .. i .. "\n"
  end
  local writer = aio.create_task(function()
    for i = 1, 60, 3 do client:write(parts[i], parts[i + 1], parts[i + 2]) end
    client:close()
  end)
  local whole = table.concat(parts)
  lu.assertTrue(peer:read("a") == whole)
  writer:await()
end)

case("written_strings_live_until_they_are_sent", function(client, peer)
  for i = 1, 100 do client:write_nowait(("%08d"):format(i):rep(12500)) end
  collectgarbage()
  collectgarbage()
  for i = 1, 100 do
    lu.assertTrue(peer:readexactly(100000) == ("%08d"):format(i):rep(12500))
  end
  client:drain()
end)

case("a_collected_stream_sends_what_was_written", function(client, peer)
  local data = ("abcdefgh"):rep(BIG // 8)
  do
    local other = client
    other:write_nowait(data)
    other:close()
  end
  collectgarbage()
  lu.assertTrue(peer:read("a") == data)
end)

case("write_nowait_never_waits", function(client, peer)
  lu.assertTrue(client:write_nowait("a"))
  local data = ("x"):rep(BIG)
  lu.assertFalse(client:write_nowait(data))
  lu.assertFalse(client:write_nowait("b"))
  local t = aio.create_task(client.drain, client)
  turns(3)
  lu.assertFalse(t:done())
  lu.assertEquals(#peer:readexactly(BIG + 2), BIG + 2)
  t:await()
end)

case("several_writers_keep_each_message_whole", function(client, peer)
  local tasks = {}
  for i = 1, 5 do
    tasks[i] = aio.create_task(function()
      for _ = 1, 20 do client:write(tostring(i):rep(50000), "\n") end
    end)
  end
  local count = {}
  for _ = 1, 100 do
    local line = peer:read("l")
    local first = line:sub(1, 1)
    lu.assertTrue(line == first:rep(50000))
    count[first] = (count[first] or 0) + 1
  end
  for i = 1, 5 do
    tasks[i]:await()
    lu.assertEquals(count[tostring(i)], 20)
  end
end)

case("a_cancelled_write_is_still_sent", function(client, peer)
  local t = aio.create_task(client.write, client, ("x"):rep(BIG), "end")
  turns(3)
  t:cancel()
  raised(aio.CancelledError, t.await, t)
  client:write_eof()
  local data = peer:read("a")
  lu.assertEquals(#data, BIG + 3)
  lu.assertEquals(data:sub(-3), "end")
end)

case("set_limits_moves_the_marks", function(client, peer)
  client:set_limits { high = 0 }
  local t = aio.create_task(client.write, client, ("x"):rep(BIG))
  turns(3)
  lu.assertFalse(t:done())
  lu.assertEquals(#peer:readexactly(BIG), BIG)
  t:await()
  client:set_limits { high = 2 * BIG, low = BIG }
  client:write(("x"):rep(BIG))
  lu.assertEquals(#peer:readexactly(BIG), BIG)
  lu.assertErrorMsgContains("'low' must not be above 'high'", client.set_limits, client,
    { high = 1, low = 2 })
  lu.assertErrorMsgContains("'high' must be a number", client.set_limits, client, { high = -1 })
  lu.assertErrorMsgContains("bad argument #1 to 'set_limits' (unknown option 'hihg'",
    function() client:set_limits { hihg = 1 } end)
  lu.assertErrorMsgContains("unknown option '1'", client.set_limits, client, { 5 })
end)

case("writing_in_a_callback", function(client, peer)
  local loop = aio.get_running_loop()
  local done = aio.Future()
  loop:call_soon(function()
    client:write_nowait("from a callback")
    done:set_result((select(2, pcall(client.write, client, ("x"):rep(BIG)))))
  end)
  local err = done:await()
  lu.assertTrue(aio.is(err, aio.RuntimeError))
  client:write_eof()
  lu.assertEquals(peer:read("a"), "from a callback")
end)

-- ---- fairness ----

case("an_endless_writer_leaves_the_others_time", function(client, peer)
  local stop = false
  local writer = aio.create_task(function()
    while not stop do client:write("x") end
    client:close()
  end)
  local got = 0
  local reader = aio.create_task(function()
    for part in peer:lines(1 << 20) do got = got + #part end
  end)
  while got < 100000 do aio.sleep(0) end
  stop = true
  writer:await()
  reader:await()
end)

-- Neither side of the flood ever has to wait for long; the connection has to be seen by a poll.
case("an_endless_reader_lets_others_connect", function(client, peer)
  local stop, block = false, ("x"):rep(1 << 16)
  local writer = aio.create_task(function()
    while not stop do client:write(block) end
    client:close()
  end)
  local server <close> = aio.start_server(function(conn) conn:write(conn:read(1)) end,
    "127.0.0.1", 0)
  local answer = aio.create_task(function()
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    conn:write("y")
    return conn:read(1)
  end)
  while not answer:done() do lu.assertTrue(#peer:read(#block) > 0) end
  lu.assertEquals(answer:await(), "y")
  stop = true
  while peer:read(#block) do end
  writer:await()
end)

case("reads_that_need_not_wait_give_way", function(client, peer)
  client:write(("x"):rep(1000))
  local others = 0
  local ticker = aio.create_task(function()
    while true do
      others = others + 1
      aio.sleep(0)
    end
  end)
  peer:readexactly(1)
  local before = others
  for _ = 1, 900 do peer:readexactly(1) end
  lu.assertTrue(others - before >= 3)
  ticker:cancel()
  aio.wait({ ticker })
end)

case("memory_is_bounded_when_nobody_reads", function(client)
  local streams_each = tostring(client):find("tls", 1, true) and 2 or 1
  local leaks = require "support.leaks"
  local written = 0
  local writer = aio.create_task(function()
    local part = ("x"):rep(65536)
    while true do
      client:write(part)
      written = written + 1
    end
  end)
  turns(5)
  local before = leaks.bytes()
  streams.settled(function() return written end)
  lu.assertFalse(writer:done())
  local after = leaks.bytes()
  writer:cancel()
  aio.wait({ writer })
  client:abort()
  -- what the reader holds, and what the writer has queued; with TLS, ciphertext beside it
  local most = streams_each * (2 * 2 * HIGH + 65536 + 2 * HIGH)
  lu.assertTrue(after - before < most, after - before .. " bytes")
end)

-- ---- ends ----

case("half_close", function(client, peer)
  lu.assertEquals(client:can_write_eof(), not tostring(client):find("tls", 1, true))
  client:write("question")
  client:write_eof()
  client:write_eof()
  lu.assertStrContains(raised(aio.RuntimeError, client.write, client, "x").message, "write_eof")
  lu.assertEquals(peer:read("a"), "question")
  lu.assertTrue(peer:at_eof())
  peer:write("answer")
  peer:close()
  lu.assertEquals(client:read("a"), "answer")
end)

case("write_eof_comes_after_what_is_queued", function(client, peer)
  client:write_nowait(("x"):rep(BIG))
  client:write_eof()
  lu.assertEquals(#peer:read("a"), BIG)
end)

case("close_sends_what_was_written", function(client, peer)
  client:write_nowait(("x"):rep(BIG))
  client:close()
  lu.assertTrue(client:is_closing())
  local waiter = aio.create_task(client.wait_closed, client)
  turns(3)
  lu.assertFalse(waiter:done())
  lu.assertEquals(#peer:read("a"), BIG)
  waiter:await()
end)

case("abort_drops_what_was_written", function(client, peer)
  client:write_nowait(("x"):rep(BIG))
  client:abort()
  client:abort()
  client:wait_closed()
  local n = 0
  local ok = aio.catch(aio.OSError, function()
    for part in peer:lines(65536) do n = n + #part end
  end)
  lu.assertTrue(n < BIG)
  lu.assertNotNil(ok)
end)

case("abort_wakes_a_writer", function(client)
  local t = aio.create_task(client.write, client, ("x"):rep(BIG))
  turns(3)
  client:abort()
  lu.assertEquals(raised(aio.OSError, t.await, t).code, "ECONNABORTED")
end)

case("a_read_that_waits_gets_the_end_when_the_stream_closes", function(client)
  local t = aio.create_task(client.read, client, 10)
  aio.sleep(0)
  client:close()
  lu.assertNil(t:await())
end)

case("a_closed_stream", function(client)
  lu.assertFalse(client:is_closing())
  client:close()
  client:close()
  client:wait_closed()
  lu.assertTrue(client:is_closing())
  lu.assertTrue(client:at_eof())
  for _, call in ipairs {
    { "read", 1 }, { "readline" }, { "readexactly", 1 }, { "readuntil", "x" }, { "write", "x" },
    { "write_nowait", "x" }, { "writelines", {} }, { "write_eof" },
  } do
    local err = raised(aio.RuntimeError, function() client[call[1]](client, call[2]) end)
    lu.assertStrContains(err.message, "closed")
    lu.assertStrContains(tostring(err), "test_stream_write.lua")
  end
  lu.assertNil(client:get_extra_info("sockname"))
  lu.assertStrContains(tostring(client), "closed")
end)

case("a_scope_closes", function(client, peer)
  do
    local conn <close> = client
    conn:write("bye")
  end
  lu.assertTrue(client:is_closing())
  lu.assertEquals(peer:read("a"), "bye")
end)

case("the_error_of_a_block_is_kept", function(client)
  local ok, err = pcall(function()
    local _ <close> = client
    error("mine", 0)
  end)
  lu.assertFalse(ok)
  lu.assertEquals(err, "mine")
  lu.assertTrue(client:is_closing())
end)

case("a_peer_that_is_gone", function(client, peer)
  peer:close()
  local err = raised(aio.OSError, function()
    for _ = 1, 1000 do
      client:write("x")
      aio.sleep(0)
    end
  end)
  lu.assertTrue(err.code == "EPIPE" or err.code == "ECONNRESET", err.code)
  lu.assertEquals(err.syscall, "write")
  raised(aio.OSError, client.write, client, "again")
  raised(aio.OSError, client.drain, client)
end)

case("a_peer_that_goes_while_a_writer_waits", function(client, peer)
  local t = aio.create_task(client.write, client, ("x"):rep(BIG))
  turns(3)
  peer:abort()
  local err = raised(aio.OSError, t.await, t)
  lu.assertTrue(err.code == "EPIPE" or err.code == "ECONNRESET", err.code)
  client:close()
  client:wait_closed()
end)

case("data_that_was_lost_is_told_at_the_close", function(client, peer)
  client:write_nowait(("x"):rep(BIG))
  peer:abort()
  turns(5)
  client:close()
  lu.assertEquals(raised(aio.OSError, client.wait_closed, client).syscall, "close")
  client:wait_closed()
end)

case("detach_returns_the_stream", function(client) lu.assertTrue(client:detach() == client) end)

return T
