-- SPDX-License-Identifier: MIT
-- The body of a message while it is read.

local env = require "support.env"
local lu = require "luaunit"
local aio = require "aio"
local stream_pair = require("aio.pair").stream_pair
local testing = require "aio.testing"

local has = env.has_http()
local content = has and require "aio.http.content"
local hc = has and require "aio.http.core"

local T = {}

function T.setUp()
  if not has then lu.skip("this build has no library for HTTP") end
end

-- A body that comes in these pieces, and how many were asked for.
local function of(pieces, limit)
  local n = 0
  return content.new(function()
    n = n + 1
    return pieces[n]
  end, limit), function() return n end
end

local function split(text, size)
  local pieces = {}
  for i = 1, #text, size do pieces[#pieces + 1] = text:sub(i, i + size - 1) end
  return pieces
end

function T.test_pieces_as_they_come()
  local body, asked = of { "abc", "d", "ef" }
  lu.assertIsFalse(body:at_eof())
  lu.assertEquals({ body:readany(), body:readany(), body:readany(), body:readany() },
    { "abc", "d", "ef" })
  lu.assertIsTrue(body:at_eof())
  lu.assertNil(body:readany())
  lu.assertEquals(asked(), 4)
end

function T.test_read()
  local body = of { "abcdef", "ghi", "jkl" }
  lu.assertEquals({ body:read(0), body:read(2), body:read(2), body:read(10), body:read(3) },
    { "", "ab", "cd", "ef", "ghi" })
  lu.assertEquals(body:read(), "jkl")
  lu.assertEquals(body:read "a", "")
  lu.assertEquals(body:read(-1), "")
  lu.assertNil(body:read(1))
  for _, bad in ipairs { 1.5, "l", -2, true } do
    lu.assertErrorMsgContains("a number of bytes", body.read, body, bad)
  end
end

function T.test_readexactly()
  local body = of { "abc", "def", "g" }
  lu.assertEquals({ body:readexactly(4), body:readexactly(0), body:readexactly(2) },
    { "abcd", "", "ef" })
  local ok, err = pcall(body.readexactly, body, 5)
  lu.assertEquals({ ok, err.partial, err.expected }, { false, "g", 5 })
  lu.assertTrue(aio.is(err, aio.IncompleteReadError))
  lu.assertErrorMsgContains("not negative", body.readexactly, body, -1)
end

-- A long separator that lies across pieces of every size, false starts before it.
function T.test_readuntil()
  local text = "aab-a-aab--x--aab\r\n--aab--"
  for size = 1, #text do
    local body = of(split(text, size))
    lu.assertEquals(body:readuntil "aab--", "aab-a-aab--")
    lu.assertEquals(body:readuntil(), "x--aab\r\n")
    lu.assertEquals(body:readuntil "-", "-")
    local ok, err = pcall(body.readuntil, body, "x")
    lu.assertEquals({ ok, err.partial }, { false, "-aab--" })
  end
  lu.assertErrorMsgContains("a separator", function() of({}):readuntil "" end)
end

function T.test_readuntil_over_the_limit()
  for size = 1, 12 do
    local body = of(split(("x"):rep(10) .. "--" .. ("y"):rep(11) .. "--", size), 10)
    lu.assertEquals(#body:readuntil "--", 12)
    local ok, err = pcall(body.readuntil, body, "--")
    lu.assertIsFalse(ok)
    lu.assertTrue(aio.is(err, aio.LimitOverrunError))
    lu.assertEquals(body:readexactly(11), ("y"):rep(11))
  end
end

function T.test_lines()
  local text = "one\n\nthree\r\nlast"
  for size = 1, #text do
    local body, got = of(split(text, size)), {}
    for line in body:lines() do got[#got + 1] = line end
    lu.assertEquals(got, { "one", "", "three\r", "last" })
    body = of(split(text, size))
    lu.assertEquals({ body:readline(), body:readline() }, { "one\n", "\n" })
    got = {}
    for line in body:lines "L" do got[#got + 1] = line end
    lu.assertEquals(got, { "three\r\n", "last" })
    lu.assertNil(body:readline())
  end
  lu.assertErrorMsgContains('"l" or "L"', function() of({}):lines "n" end)
end

function T.test_a_line_over_the_limit_is_thrown_away()
  for size = 1, 30 do
    local body = of(split("0123456789\n" .. ("x"):rep(25) .. "\nnext\n" .. ("y"):rep(40), size), 10)
    lu.assertEquals(body:readline(), "0123456789\n")
    local _, err = pcall(body.readline, body)
    lu.assertTrue(aio.is(err, aio.LimitOverrunError))
    lu.assertEquals(err.consumed, 26)
    lu.assertEquals(body:readline(), "next\n")
    _, err = pcall(body.readline, body)
    lu.assertEquals(err.consumed, 40)
    lu.assertNil(body:readline())
  end
end

function T.test_chunks()
  local body, got = of { "abcdef", "g" }, {}
  for piece in body:chunks(4) do got[#got + 1] = piece end
  lu.assertEquals(got, { "abcd", "ef", "g" })
  got = {}
  for piece in (of { "abcdef", "g" }):chunks() do got[#got + 1] = piece end
  lu.assertEquals(got, { "abcdef", "g" })
  lu.assertErrorMsgContains("above 0", function() of({}):chunks(0) end)
end

function T.test_drain()
  lu.assertIsTrue(of({ "abc", "def" }):_drain(6))
  lu.assertIsFalse(of({ "abc", "def" }):_drain(5))
end

-- 100,000 pieces of one byte, and lines out of one large piece: linear, so this ends.
function T.test_many_small_pieces()
  local n = 0
  local body = content.new(function()
    n = n + 1
    return n <= 100000 and "x" or nil
  end, 1 << 20)
  local ok, err = pcall(body.readuntil, body, "no such")
  lu.assertEquals({ ok, #err.partial }, { false, 100000 })
  local lines = 0
  for _ in (of { ("line\n"):rep(50000) }):lines() do lines = lines + 1 end
  lu.assertEquals(lines, 50000)
end

-- What a cancelled read has pulled stays for the next one.
function T.test_a_cancelled_read_loses_nothing()
  testing.run(function()
    local queue = aio.Queue()
    local body = content.new(function() return queue:get() end)
    for _, read in ipairs { { "readexactly", 6 }, { "readuntil", "f" }, { "read", "a" } } do
      queue:put "abc"
      local task = aio.create_task(body[read[1]], body, read[2])
      aio.sleep(0)
      aio.sleep(0)
      task:cancel()
      lu.assertIsFalse((pcall(task.await, task)))
      queue:put "def"
      lu.assertEquals(body:readexactly(6), "abcdef")
    end
  end)
end

-- ---- where the pieces come from ----

local function fail(kind, message, status)
  error({ kind = kind, message = message, status = status }, 0)
end

local function with(fn)
  testing.run(function()
    local a <close>, b = stream_pair()
    local _ <close> = b
    fn(a, b)
  end)
end

local function kind_of(fn, ...)
  local ok, err = pcall(fn, ...)
  return not ok and err.kind, err
end

function T.test_a_counted_body()
  with(function(a, b)
    b:write "helloGET"
    lu.assertEquals(content.new(content.counted(a, 5, 1, fail)):read(), "hello")
    lu.assertEquals(content.new(content.counted(a, 0, 1, fail)):read(), "")
    lu.assertEquals(a:read(9), "GET")
    b:write "he"
    local body = content.new(content.counted(a, 5, 2, fail))
    local kind, err = kind_of(body.read, body)
    lu.assertEquals({ kind, err.message }, { "time", "nothing of the body came for 2 seconds" })
    b:write "l"
    b:write_eof()
    lu.assertEquals(kind_of(body.read, body), "end")
    lu.assertEquals(kind_of(body.read, body), "end")
  end)
end

local HEAD = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

local function chunked(a, b, text)
  local p = hc.parser "request"
  b:write(HEAD .. text)
  lu.assertIsTrue(require("aio.core")._feed(a, p))
  p:head()
  return content.new(content.chunked(a, p, 3, fail))
end

function T.test_a_body_in_chunks()
  with(function(a, b)
    lu.assertEquals(chunked(a, b, "5\r\nhello\r\n3\r\n...\r\n0\r\n\r\nGET"):read(), "hello...")
    lu.assertEquals(a:read(9), "GET")
  end)
  with(function(a, b)
    local body = chunked(a, b, "5\r\nhello\r\nz")
    lu.assertEquals(body:readany(), "hello")
    local kind, err = kind_of(body.readany, body)
    lu.assertEquals({ kind, err.status }, { "bad", 400 })
    lu.assertEquals(kind_of(body.readany, body), "bad")
  end)
  with(function(a, b)
    local body = chunked(a, b, "5\r\nhe")
    lu.assertEquals(body:readany(), "he")
    lu.assertEquals(kind_of(body.readany, body), "time")
    b:write_eof()
    lu.assertEquals(kind_of(body.readany, body), "end")
  end)
end

-- No more than 64 KiB stand in the parser, and no more than the limits of the stream before it.
function T.test_chunks_beyond_what_the_parser_holds()
  with(function(a, b)
    local data = ("0123456789abcdef"):rep(65536 // 8)
    local writer = aio.create_task(function()
      b:write(("%x\r\n"):format(#data), data, "\r\n0\r\n\r\n")
    end)
    local body, sizes, parts = chunked(a, b, ""), {}, {}
    for piece in body:chunks() do
      sizes[#sizes + 1] = #piece
      parts[#parts + 1] = piece
    end
    writer:await()
    lu.assertTrue(math.max(table.unpack(sizes)) <= 65536)
    lu.assertEquals(table.concat(parts) == data, true)
  end)
end

function T.test_a_body_until_the_connection_ends()
  with(function(a, b)
    b:write "all"
    b:write_eof()
    lu.assertEquals(content.new(content.until_close(a, 1, fail)):read(), "all")
  end)
  with(function(a)
    lu.assertEquals(kind_of(content.until_close(a, 1, fail)), "time")
  end)
end

-- A decoder that doubles what it gets and ends at a dot.
local function doubler()
  local d = { pending = "", done = false, behind = "" }
  function d:feed(data)
    local text, dot, rest = data:match "^([^.!]*)([.!]?)(.*)$"
    self.pending, self.done, self.wrong, self.behind = text .. text, dot == ".", dot == "!", rest
  end
  function d:read(max)
    local data = self.pending:sub(1, math.min(max, 3))
    self.pending = self.pending:sub(#data + 1)
    if data ~= "" then return data end
    return nil, self.wrong and "malformed" or nil
  end
  function d:finished() return self.done end
  function d:rest() return self.behind end
  return d
end

local function decoded(pieces)
  local n = 0
  return content.new(content.decoded(function()
    n = n + 1
    return pieces[n]
  end, doubler(), fail))
end

function T.test_a_decoded_body()
  lu.assertEquals(decoded({ "abc", "de." }):read(), "abcabcdede")
  lu.assertEquals(decoded({}):read(), "")
  for kind, pieces in pairs { ["end"] = { "abc" }, bad = { "ab.c" } } do
    local body = decoded(pieces)
    lu.assertEquals(kind_of(body.read, body), kind)
  end
  local body = decoded { "ab!" }
  local kind, err = kind_of(body.read, body)
  lu.assertEquals({ kind, err.message }, { "bad", "malformed" })
end

return T
