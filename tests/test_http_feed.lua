-- SPDX-License-Identifier: MIT
-- core._feed and core._read: a parser takes what a stream receives, with limits of time.

local env = require "support.env"
local lu = require "luaunit"
local aio = require "aio"
local core = require "aio.core"
local testing = require "aio.testing"
local stream_pair = require("aio.pair").stream_pair

local hc = env.has_http() and require "aio.http.core"

local REQUEST = "GET /%d HTTP/1.1\r\nHost: here\r\n\r\n"

local T = {}

function T.setUp()
  if not hc then lu.skip("this build has no library for HTTP") end
end

-- Runs fn(one end, the other, a parser of what the first receives) under the virtual clock.
local function with(fn)
  testing.run(function()
    local a <close>, b = stream_pair()
    local _ <close> = b
    fn(a, b, hc.parser("request"))
  end)
end

function T.test_takes_one_message_and_leaves_the_rest()
  with(function(a, b, p)
    b:write(REQUEST:format(1) .. REQUEST:format(2) .. "tail")
    for i = 1, 2 do
      lu.assertIsTrue(core._feed(a, p))
      local headers, method, target = p:head()
      lu.assertEquals({ headers.host, method, target }, { "here", "GET", "/" .. i })
      p:next()
    end
    lu.assertEquals(a:readexactly(4), "tail")
  end)
end

function T.test_a_message_that_comes_in_bytes()
  with(function(a, b, p)
    local reader = aio.create_task(core._feed, a, p)
    for c in REQUEST:format(7):gmatch "." do
      b:write(c)
      aio.sleep(0)
    end
    lu.assertIsTrue(reader:await())
    lu.assertEquals(select(3, p:head()), "/7")
  end)
end

function T.test_the_end_of_the_stream()
  with(function(a, b, p)
    b:write "GET / HT"
    b:write_eof()
    lu.assertNil(core._feed(a, p))
    lu.assertIsFalse(p:idle())
  end)
  with(function(a, b, p)
    b:write_eof()
    lu.assertNil(core._feed(a, p))
    lu.assertIsTrue(p:idle())
  end)
end

function T.test_two_limits_of_time()
  with(function(a, b, p)
    local loop = aio.get_running_loop()
    local start = loop:time()
    lu.assertIsFalse(core._feed(a, p, 75, 10))
    lu.assertEquals({ loop:time() - start, p:idle() }, { 75, true })
    aio.create_task(function()
      for _ = 1, 3 do
        aio.sleep(4)
        b:write "G"
      end
    end)
    start = loop:time()
    lu.assertIsFalse(core._feed(a, p, 75, 10))
    lu.assertEquals({ loop:time() - start, p:idle() }, { 14, false })
  end)
end

function T.test_from_the_first_byte_on_without_a_limit_before()
  with(function(a, b, p)
    local loop = aio.get_running_loop()
    aio.create_task(function()
      aio.sleep(100)
      b:write "G"
    end)
    lu.assertIsFalse(core._feed(a, p, nil, 10))
    lu.assertEquals(loop:time(), 110)
  end)
end

-- What came in time is there, although the head of the next message is not.
function T.test_bytes_that_were_there_before_count_as_the_first()
  with(function(a, b, p)
    b:write "GET"
    lu.assertIsFalse(core._feed(a, p, 75, 10))
    lu.assertEquals(aio.get_running_loop():time(), 10)
  end)
end

function T.test_a_cancelled_wait_loses_nothing()
  with(function(a, b, p)
    local reader = aio.create_task(core._feed, a, p, 5)
    b:write "GET /kept HTTP/1.1\r\n"
    aio.sleep(0)
    reader:cancel()
    b:write "Host: here\r\n"
    lu.assertIsFalse((pcall(reader.await, reader)))
    b:write "\r\nbody"
    lu.assertIsTrue(core._feed(a, p, 5))
    lu.assertEquals(select(3, p:head()), "/kept")
    lu.assertEquals(a:readexactly(4), "body")
  end)
end

-- The head became complete between the cancellation and the step that raised it.
function T.test_a_wait_cancelled_too_late()
  with(function(a, b, p)
    local reader = aio.create_task(core._feed, a, p, 5)
    aio.sleep(0)
    reader:cancel()
    b:write(REQUEST:format(3) .. "rest")
    lu.assertIsFalse((pcall(reader.await, reader)))
    lu.assertIsTrue(core._feed(a, p, 5))
    lu.assertEquals(select(3, p:head()), "/3")
    lu.assertEquals(a:readexactly(4), "rest")
  end)
end

function T.test_errors_of_the_caller()
  with(function(a, _, p)
    local reader = aio.create_task(core._feed, a, p)
    aio.sleep(0)
    lu.assertStrContains(tostring(select(2, pcall(core._feed, a, p))), "another task reads")
    lu.assertStrContains(tostring(select(2, pcall(a.read, a, 1))), "another task reads")
    reader:cancel()
    aio.wait { reader }
    lu.assertErrorMsgContains("a parser", core._feed, a, io.stdout)
    lu.assertErrorMsgContains("a parser", core._feed, a, nil)
    lu.assertErrorMsgContains("not negative", core._feed, a, p, -1)
    lu.assertErrorMsgContains("above 0", core._read, a, 0)
    a:close()
    lu.assertStrContains(tostring(select(2, pcall(core._feed, a, p))), "closed")
  end)
end

-- The stream keeps the parser that it points into.
function T.test_a_parser_that_nobody_holds()
  with(function(a, b)
    local reader = aio.create_task(function() core._feed(a, hc.parser("request"), 1) end)
    aio.sleep(0)
    collectgarbage()
    b:write(REQUEST:format(1))
    reader:await()
    collectgarbage()
    b:write "x"
    lu.assertEquals(a:read(1), "x")
  end)
end

function T.test_read_with_a_limit()
  with(function(a, b)
    lu.assertIsFalse(core._read(a, 10, 3))
    lu.assertEquals(aio.get_running_loop():time(), 3)
    b:write "hello"
    lu.assertEquals(core._read(a, 2, 3), "he")
    lu.assertEquals(core._read(a, 10), "llo")
    aio.create_task(function()
      aio.sleep(1)
      b:write_eof()
    end)
    lu.assertNil(core._read(a, 10, 3))
    lu.assertEquals(aio.get_running_loop():time(), 4)
  end)
end

return T
