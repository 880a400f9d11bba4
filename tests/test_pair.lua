-- SPDX-License-Identifier: MIT
-- Streams in memory: pieces and faults that a seed decides. What a stream does over them is in
-- test_stream.

local lu = require "luaunit"
local aio = require "aio"
local testing = require "aio.testing"
local stream_pair = require("aio.pair").stream_pair

local T = {}

-- The sizes of the pieces in which 5,000 bytes arrive.
local function pieces(opts)
  local sizes = {}
  aio.run(function()
    local a <close>, b = stream_pair(opts)
    local _ <close> = b
    local t = aio.create_task(function()
      a:write(("x"):rep(5000))
      a:write_eof()
    end)
    for part in b:lines(5000) do sizes[#sizes + 1] = #part end
    t:await()
  end)
  return sizes
end

-- How big a piece is at most is the receive buffer's business, but chance has no part in it.
function T.test_the_same_each_time_by_default()
  local first, sum = pieces(), 0
  lu.assertEquals(pieces(), first)
  for _, size in ipairs(first) do sum = sum + size end
  lu.assertEquals(sum, 5000)
end

function T.test_pieces_of_a_size()
  local sizes = pieces { chunk = 1000 }
  for _, size in ipairs(sizes) do lu.assertTrue(size <= 1000) end
end

function T.test_a_seed_decides()
  local first = pieces { chunk = 300, seed = 1 }
  lu.assertEquals(pieces { chunk = 300, seed = 1 }, first)
  lu.assertNotEquals(pieces { chunk = 300, seed = 2 }, first)
  local sum = 0
  for _, size in ipairs(first) do sum = sum + size end
  lu.assertEquals(sum, 5000)
end

function T.test_a_full_direction_makes_the_writer_wait()
  aio.run(function()
    local a <close>, b = stream_pair { capacity = 10 }
    a:set_limits { high = 0 }
    local t = aio.create_task(a.write, a, ("x"):rep(1000))
    for _ = 1, 5 do aio.sleep(0) end
    lu.assertEquals(#b:readexactly(1000), 1000)
    t:await()
    b:close()
  end)
end

-- Neither end reads: nothing is to be done until the time has come.
function T.test_both_directions_full()
  testing.run(function()
    local a <close>, b = stream_pair { capacity = 10 }
    a:write_nowait(("x"):rep(1000))
    b:write_nowait(("y"):rep(1000))
    aio.sleep(1)
    lu.assertEquals(b:readexactly(1000), ("x"):rep(1000))
    lu.assertEquals(a:readexactly(1000), ("y"):rep(1000))
    b:close()
  end)
end

function T.test_reset()
  aio.run(function()
    local a, b = stream_pair { reset_after = 100 }
    local writer = aio.create_task(function()
      while true do
        a:write(("x"):rep(30))
        aio.sleep(0)
      end
    end)
    local got = 0
    local ok, err = aio.catch(aio.OSError, function()
      while true do got = got + #b:read(1000) end
    end)
    lu.assertFalse(ok)
    lu.assertEquals(err.code, "ECONNRESET")
    lu.assertTrue(got <= 100)
    ok, err = aio.catch(aio.OSError, writer.await, writer)
    lu.assertFalse(ok)
    lu.assertEquals(err.code, "ECONNRESET")
    a:close()
    b:close()
  end)
end

function T.test_it_has_no_address()
  aio.run(function()
    local a <close>, b = stream_pair()
    lu.assertNil(a:get_extra_info("peername"))
    lu.assertEquals(a:get_extra_info("fileno", "none"), "none")
    lu.assertStrContains(tostring(a), "memory, open")
    b:close()
  end)
end

function T.test_a_collected_end_is_the_end()
  aio.run(function()
    local a <close>, b = stream_pair()
    b:write("last")
    b = nil -- luacheck: no unused
    collectgarbage()
    lu.assertEquals(a:read("a"), "last")
  end)
end

function T.test_a_loop_that_closes_takes_both()
  local loop = aio.new_event_loop()
  local a, b
  local t = loop:create_task(function()
    a, b = stream_pair()
    a:write("under way")
  end)
  loop:run_until_complete(t)
  loop:close()
  lu.assertTrue(a:is_closing() and b:is_closing())
end

function T.test_wrong_options()
  aio.run(function()
    for _, opts in ipairs { { capacity = 0 }, { chunk = 0.5 }, { reset_after = 0 } } do
      lu.assertErrorMsgContains("integer of at least 1", stream_pair, opts)
    end
    lu.assertErrorMsgContains("unknown option", stream_pair, { size = 1 })
    lu.assertErrorMsgContains("option 'limit'", stream_pair, { limit = -1 })
  end)
end

return T
