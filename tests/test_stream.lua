-- SPDX-License-Identifier: MIT
-- Streams: reading in every way, one reader at a time, cancellation, wrong use.

local lu = require "luaunit"
local aio = require "aio"
local streams = require "support.streams"

local raised, turns, HIGH =
  streams.raised, streams.turns, streams.HIGH

local T, case = streams.kinds()

-- ---- reading ----

case("read_gives_what_is_there", function(client, peer)
  client:write("hello world")
  lu.assertEquals(peer:read(5), "hello")
  lu.assertEquals(peer:read(100), " world")
  lu.assertEquals(peer:read(0), "")
end)

case("read_waits_for_the_first_byte", function(client, peer)
  local t = aio.create_task(peer.read, peer, 10)
  aio.sleep(0)
  lu.assertFalse(t:done())
  client:write("x")
  lu.assertEquals(t:await(), "x")
end)

case("read_to_the_end", function(client, peer)
  client:write("one ", "two ", 3)
  client:close()
  lu.assertEquals(peer:read("a"), "one two 3")
  lu.assertEquals(peer:read("a"), "")
  lu.assertEquals(peer:read(-1), "")
  lu.assertNil(peer:read(1))
  lu.assertNil(peer:readline())
  lu.assertTrue(peer:at_eof())
end)

case("read_to_the_end_is_longer_than_the_limit", function(client, peer)
  local data = ("0123456789abcdef"):rep(40000)
  local t = aio.create_task(function()
    client:write(data)
    client:close()
  end)
  lu.assertTrue(peer:read("a") == data)
  t:await()
end)

case("lines_in_every_form", function(client, peer)
  client:write("a\n\nbc\nlast")
  client:write_eof()
  lu.assertEquals(peer:readline(), "a\n")
  lu.assertEquals(peer:read("l"), "")
  lu.assertEquals(peer:read("L"), "bc\n")
  lu.assertEquals(peer:read("*l"), "last")
  lu.assertNil(peer:read("l"))
end)

case("lines_iterates", function(client, peer)
  client:write("a\nb\nc")
  client:write_eof()
  local got = {}
  for line in peer:lines() do got[#got + 1] = line end
  lu.assertEquals(got, { "a", "b", "c" })
end)

case("lines_takes_any_format", function(client, peer)
  client:write("a\nbcdefg")
  client:write_eof()
  local kept = peer:lines "L"
  lu.assertEquals(kept(), "a\n")
  local got = {}
  for part in peer:lines(4) do got[#got + 1] = part end
  lu.assertEquals(table.concat(got), "bcdefg")
end)

case("a_line_in_pieces", function(client, peer)
  local t = aio.create_task(peer.readline, peer)
  for byte in ("slow\n"):gmatch "." do
    client:write(byte)
    turns(3)
  end
  lu.assertEquals(t:await(), "slow\n")
end)

case("readexactly", function(client, peer)
  client:write("abcdef")
  lu.assertEquals(peer:readexactly(4), "abcd")
  lu.assertEquals(peer:readexactly(0), "")
  client:write("gh")
  client:write_eof()
  local err = raised(aio.IncompleteReadError, peer.readexactly, peer, 10)
  lu.assertEquals(err.partial, "efgh")
  lu.assertEquals(err.expected, 10)
  lu.assertTrue(peer:at_eof())
end)

case("readexactly_more_than_the_limit", function(client, peer)
  local data = ("x"):rep(5 * HIGH + 1)
  local t = aio.create_task(client.write, client, data, "tail")
  lu.assertTrue(peer:readexactly(#data) == data)
  lu.assertEquals(peer:readexactly(4), "tail")
  t:await()
end)

case("readuntil_over_packets", function(client, peer)
  client:write("head\r")
  aio.create_task(function()
    turns(5)
    client:write("\n\r\nbody")
    client:write_eof()
  end)
  lu.assertEquals(peer:readuntil("\r\n\r\n"), "head\r\n\r\n")
  local err = raised(aio.IncompleteReadError, peer.readuntil, peer, "\r\n")
  lu.assertEquals(err.partial, "body")
  lu.assertNil(err.expected)
end)

case("readuntil_takes_the_match_that_ends_first", function(client, peer)
  client:write("one;two,three end")
  lu.assertEquals(peer:readuntil({ ",", ";" }), "one;")
  lu.assertEquals(peer:readuntil({ ",", ";" }), "two,")
  local t = aio.create_task(peer.readuntil, peer, { "END", "stop" })
  turns(3)
  client:write(" END")
  lu.assertEquals(t:await(), "three end END")
end)

-- Of several that end at the same byte the shortest counts, in whatever order they are given: what
-- is before it is measured against the limit.
case("readuntil_takes_the_shortest_match", function(client, peer)
  for _, list in ipairs { { "\n", "\r\n" }, { "\r\n", "\n" } } do
    client:write("1234567\r\n")
    lu.assertEquals(peer:readuntil(list), "1234567\r\n")
    client:write("12345678\r\n")
    local err = raised(aio.LimitOverrunError, peer.readuntil, peer, list)
    lu.assertEquals(err.consumed, 9)
    lu.assertEquals(peer:readexactly(10), "12345678\r\n")
  end
end, { limit = 8 })

case("readuntil_a_newline_by_default", function(client, peer)
  client:write("x\ny")
  lu.assertEquals(peer:readuntil(), "x\n")
end)

case("a_byte_that_repeats_is_found", function(client, peer)
  client:write("aaa")
  turns(5)
  client:write("ab!")
  lu.assertEquals(peer:readuntil("aab"), "aaaab")
end)

case("limit_leaves_the_buffer_of_readuntil", function(client, peer)
  client:write(("x"):rep(50), "\nrest\n")
  local err = raised(aio.LimitOverrunError, peer.readuntil, peer, "\n")
  lu.assertTrue(err.consumed > 16 and err.consumed <= 50)
  lu.assertEquals(#peer:readexactly(50), 50)
  lu.assertEquals(peer:readline(), "\n")
  lu.assertEquals(peer:readline(), "rest\n")
end, { limit = 16 })

case("limit_discards_a_whole_line", function(client, peer)
  local t = aio.create_task(function()
    for _ = 1, 100 do
      client:write(("x"):rep(10))
      aio.sleep(0)
    end
    client:write("\nshort\n")
  end)
  local err = raised(aio.LimitOverrunError, peer.readline, peer)
  lu.assertEquals(err.consumed, 1001)
  lu.assertStrContains(err.message, "a line of 1001 bytes, over the limit of 16 (option 'limit'")
  lu.assertEquals(peer:read("l"), "short")
  t:await()
end, { limit = 16 })

case("a_discarded_line_at_the_end", function(client, peer)
  client:write(("x"):rep(100))
  client:write_eof()
  raised(aio.LimitOverrunError, peer.read, peer, "l")
  lu.assertNil(peer:read("l"))
end, { limit = 16 })

case("a_line_of_exactly_the_limit", function(client, peer)
  client:write(("x"):rep(16), "\n")
  lu.assertEquals(#peer:read("l"), 16)
end, { limit = 16 })

case("discarding_goes_on_after_a_cancellation", function(client, peer)
  client:write(("x"):rep(100))
  local t = aio.create_task(peer.readline, peer)
  turns(5)
  t:cancel()
  aio.wait({ t })
  client:write("tail\nnext\n")
  raised(aio.LimitOverrunError, peer.readline, peer)
  lu.assertEquals(peer:readline(), "next\n")
end, { limit = 16 })

case("many_small_packets_fill_few_chunks", function(client, peer)
  local n = 2000
  for i = 1, n do
    client:write(string.char(i % 256))
    if i % 50 == 0 then turns(2) end
  end
  client:write_eof()
  local data = peer:read("a")
  lu.assertEquals(#data, n)
  for i = 1, n do lu.assertEquals(data:byte(i), i % 256) end
end)

-- ---- one reader ----

case("a_second_reader_is_refused", function(client, peer)
  local t = aio.create_task(peer.read, peer, 10)
  aio.sleep(0)
  for _, name in ipairs { "read", "readexactly" } do
    local err = raised(aio.RuntimeError, peer[name], peer, 1)
    lu.assertStrContains(err.message, "another task reads")
  end
  raised(aio.RuntimeError, peer.readline, peer)
  raised(aio.RuntimeError, peer.readuntil, peer, "x")
  client:write("data")
  lu.assertEquals(t:await(), "data")
end)

case("cancelled_reads_lose_nothing", function(client, peer)
  for _, read in ipairs {
    function() return peer:read(10) end,
    function() return peer:readexactly(10) end,
    function() return peer:readuntil("\n") end,
    function() return peer:readline() end,
    function() return peer:read("a") end,
  } do
    local t = aio.create_task(read)
    client:write("12345")
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    lu.assertEquals(peer:readexactly(5), "12345")
  end
end)

case("a_cancelled_read_that_had_its_data", function(client, peer)
  local t = aio.create_task(peer.readexactly, peer, 3)
  aio.sleep(0)
  client:write("abcdef")
  local extra = aio.create_task(function()
    while not peer:at_eof() and not t:done() do
      t:cancel()
      aio.sleep(0)
    end
  end)
  raised(aio.CancelledError, t.await, t)
  extra:await()
  lu.assertEquals(peer:readexactly(6), "abcdef")
end)

-- ---- select ----

case("select_reads_or_does_not", function(client, peer)
  lu.assertEquals(aio.select { { peer, "read", 10 }, { sleep = 0 } }, 2)
  client:write("abcdef")
  local i, data = aio.select { { peer, "read", 4 }, { aio.Future() } }
  lu.assertEquals({ i, data }, { 1, "abcd" })
  client:write_eof()
  lu.assertEquals(peer:read("a"), "ef")
  lu.assertEquals({ aio.select { { peer, "read", 4 } } }, { 1, nil })
end)

case("select_and_a_reader", function(client, peer)
  local t = aio.create_task(peer.read, peer, 10)
  aio.sleep(0)
  raised(aio.RuntimeError, aio.select, { { peer, "read", 4 } })
  client:write("data")
  lu.assertEquals(t:await(), "data")
  lu.assertErrorMsgContains("positive number", aio.select, { { peer, "read", 0 } })
  peer:close()
  raised(aio.RuntimeError, aio.select, { { peer, "read", 4 } })
end)

case("a_cancelled_select_loses_nothing", function(client, peer)
  local t = aio.create_task(aio.select, { { peer, "read", 4 } })
  aio.sleep(0)
  client:write("data")
  t:cancel()
  raised(aio.CancelledError, t.await, t)
  lu.assertEquals(peer:read(10), "data")
end)

case("a_stream_that_closes_ends_a_select", function(client)
  local t = aio.create_task(aio.select, { { client, "read", 4 } })
  aio.sleep(0)
  client:close()
  lu.assertEquals({ t:await() }, { 1, nil })
end)

-- ---- wrong use ----

case("wrong_arguments", function(client)
  lu.assertErrorMsgContains("read(n) for up to n bytes", client.read, client)
  lu.assertErrorMsgContains("bad argument", client.read, client, {})
  lu.assertErrorMsgContains("bad argument", client.read, client, -2)
  lu.assertErrorMsgContains("\"a\", \"l\" or \"L\"", client.read, client, "x")
  lu.assertErrorMsgContains("bad argument", client.readexactly, client, -1)
  lu.assertErrorMsgContains("not empty", client.readuntil, client, "")
  lu.assertErrorMsgContains("1 to 100", client.readuntil, client, {})
  lu.assertErrorMsgContains("not empty", client.readuntil, client, { "a", 1 })
  lu.assertErrorMsgContains("bad argument", client.write, client, true)
  lu.assertErrorMsgContains("item 2 of the list is a boolean", client.write, client,
    { "a", true })
  lu.assertErrorMsgContains("bad argument", client.writelines, client, "a")
  lu.assertErrorMsgContains("Stream expected", client.read, {}, 1)
  lu.assertErrorMsgContains("bad argument", client.get_extra_info, client)
end)

case("an_argument_error_names_the_callers_line", function(client)
  local ok, err = pcall(function() client:read() end)
  lu.assertFalse(ok)
  lu.assertStrContains(err, "test_stream.lua:")
end)

case("a_collected_stream_is_reported_in_debug_mode", function(client)
  local loop = aio.get_running_loop()
  local got
  loop:set_exception_handler(function(_, ctx) got = ctx end)
  loop:set_debug(true)
  loop.slow_callback_duration = 1e9 -- on a busy machine any step is slow
  local info = client:get_extra_info("sockname")
  if type(info) == "table" then
    local srv <close> = aio.start_server(function() end, "127.0.0.1", 0)
    aio.open_connection("127.0.0.1", srv.port)
    collectgarbage()
    collectgarbage()
    lu.assertEquals(got and got.kind, "unclosed")
    lu.assertStrContains(got.message, "test_stream.lua:")
  end
end)

return T
