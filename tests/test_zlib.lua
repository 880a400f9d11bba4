-- SPDX-License-Identifier: MIT
-- aio/zlib.so: both directions in steps, against itself and against Python's zlib.

local env = require "support.env"
local lu = require "luaunit"

local T = {}

local ok, zlib = pcall(require, "aio.zlib")
if not ok then
  function T.test_zlib() lu.skip("built without zlib") end
  return T
end

local optional = require "aio.optional"

local TEXT = ("what repeats itself is short. "):rep(3000)
local FORMATS = { "raw", "zlib", "gzip" }

-- Reads all there is, at most `max` bytes at once.
local function read_all(inflate, max)
  local parts = {}
  while true do
    local part, err = inflate:read(max)
    if not part then return table.concat(parts), err end
    lu.assertTrue(#part > 0 and #part <= (max or 65536))
    parts[#parts + 1] = part
  end
end

local function inflated(format, data, step)
  local inflate, parts = zlib.inflate(format), {}
  for i = 1, #data, step do
    inflate:feed(data:sub(i, i + step - 1))
    local part, err = read_all(inflate)
    lu.assertNil(err)
    parts[#parts + 1] = part
  end
  return table.concat(parts), inflate
end

local function deflated(format, data, level)
  return zlib.deflate(format, level):write(data, "finish")
end

function T.test_there_and_back_in_pieces_of_every_size()
  for _, format in ipairs(FORMATS) do
    local data = deflated(format, TEXT)
    lu.assertTrue(#data < #TEXT / 50)
    for _, step in ipairs { 1, 2, 3, 7, 64, #data } do
      local text, inflate = inflated(format, data, step)
      lu.assertTrue(text == TEXT)
      lu.assertTrue(inflate:finished())
      lu.assertEquals(inflate:rest(), "")
    end
  end
end

function T.test_output_comes_in_bounded_steps()
  local bomb = deflated("gzip", ("\0"):rep(10000000))
  lu.assertTrue(#bomb < 12000)
  local inflate = zlib.inflate "gzip"
  inflate:feed(bomb)
  lu.assertEquals(inflate:read(10), ("\0"):rep(10))
  lu.assertEquals(#inflate:read(), 65536)
  lu.assertFalse(inflate:finished())
  lu.assertEquals(#read_all(inflate), 10000000 - 65546)
  lu.assertTrue(inflate:finished())
end

function T.test_an_incomplete_end_is_seen()
  local data = deflated("gzip", TEXT)
  local text, inflate = inflated("gzip", data:sub(1, -2), 50)
  lu.assertEquals(text, TEXT)
  lu.assertFalse(inflate:finished())
  lu.assertFalse(zlib.inflate("gzip"):finished())
end

function T.test_members_of_gzip_and_what_follows()
  local data = deflated("gzip", "one ") .. deflated("gzip", "") .. deflated("gzip", "two")
  for step = 1, #data do
    local text, inflate = inflated("gzip", data, step)
    lu.assertEquals(text, "one two")
    lu.assertTrue(inflate:finished())
  end
  local inflate = zlib.inflate "auto"
  inflate:feed(data .. "garbage")
  lu.assertEquals(read_all(inflate), "one two")
  lu.assertEquals(inflate:rest(), "garbage")
  lu.assertTrue(inflate:finished())
end

function T.test_formats_that_are_told_by_the_first_byte()
  for _, case in ipairs { { "auto", "gzip" }, { "auto", "zlib" }, { "deflate", "zlib" },
    { "deflate", "raw" } } do
    for _, level in ipairs { 0, 1, 9 } do
      lu.assertTrue((inflated(case[1], deflated(case[2], TEXT, level), 100)) == TEXT)
    end
  end
end

function T.test_malformed_input()
  local data = deflated("gzip", TEXT)
  local wrong = data:sub(1, -9) .. "\1\2\3\4" .. data:sub(-4)
  local inflate = zlib.inflate "gzip"
  inflate:feed(wrong)
  local text, err = read_all(inflate)
  lu.assertTrue(text == TEXT)
  lu.assertEquals(err, "incorrect data check")
  lu.assertEquals({ inflate:read() }, { nil, "incorrect data check" })
  lu.assertFalse(inflate:finished())
  inflate:reset()
  inflate:feed(data)
  lu.assertTrue(read_all(inflate) == TEXT)
  for _, bad in ipairs { "x", "\31\139\9\0", "\255\255\255" } do
    for _, format in ipairs { "gzip", "zlib" } do
      local other = zlib.inflate(format)
      other:feed(bad .. ("y"):rep(20))
      lu.assertNotNil(select(2, read_all(other)))
    end
  end
end

function T.test_sync_and_reset()
  local deflate, inflate = zlib.deflate("raw", 9, 9), zlib.inflate("raw", 9)
  for i = 1, 20 do
    local message = ("message %d "):format(i):rep(i)
    inflate:feed(deflate:write(message:sub(1, 5)))
    local head = read_all(inflate)
    inflate:feed(deflate:write(message:sub(6), "sync"))
    lu.assertEquals(head .. read_all(inflate), message)
  end
  deflate:reset()
  inflate:reset()
  inflate:feed(deflate:write("again", "finish"))
  lu.assertEquals(read_all(inflate), "again")
  lu.assertErrorMsgContains("after \"finish\"", deflate.write, deflate, "x")
  deflate:reset()
  inflate:reset()
  inflate:feed(deflate:write("once more", "finish"))
  lu.assertEquals(read_all(inflate), "once more")
  getmetatable(deflate).__gc(deflate)
  lu.assertErrorMsgContains("start again", deflate.write, deflate, "x")
end

-- The example of RFC 7692, section 7.2.3: "Hello" with and without the context of the one before.
function T.test_messages_of_permessage_deflate()
  local deflate, inflate = zlib.deflate("raw"), zlib.inflate "raw"
  local first, second = deflate:write("Hello", "message"), deflate:write("Hello", "message")
  lu.assertEquals(first, "\xf2\x48\xcd\xc9\xc9\x07\x00")
  lu.assertEquals(second, "\xf2\x00\x11\x00\x00")
  for _, data in ipairs { first, second } do
    inflate:feed(data, true)
    lu.assertEquals(read_all(inflate), "Hello")
  end
  lu.assertEquals(deflate:write("", "message"), "\0")
  inflate:feed("\0", true)
  lu.assertEquals(read_all(inflate), "")
  inflate:feed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", true) -- a block that says it is the last
  lu.assertEquals(read_all(inflate), "Hello")
  inflate:feed(deflate:write("Hello", "message"), true)
  lu.assertEquals(read_all(inflate), "Hello")
end

function T.test_arguments()
  local inflate = zlib.inflate "raw"
  inflate:feed(deflated("raw", TEXT))
  lu.assertErrorMsgContains("not used up", inflate.feed, inflate, "more")
  lu.assertErrorMsgContains("positive number", inflate.read, inflate, 0)
  lu.assertErrorMsgContains("window bits from 8 to 15", zlib.inflate, "raw", 16)
  lu.assertErrorMsgContains("window bits from 9 to 15", zlib.deflate, "raw", 6, 8)
  lu.assertErrorMsgContains("from 0 to 9 expected, got 10", zlib.deflate, "raw", 10)
  lu.assertErrorMsgContains("invalid option", zlib.inflate, "zip")
end

-- The collector knows only of the object, not of the quarter of a MiB behind it.
function T.test_who_has_finished_keeps_no_memory()
  if not env.host then return lu.skip("needs aio-lua, which counts") end
  local leaks = require "support.leaks"
  local before, kept = leaks.bytes(), {}
  for i = 1, 10 do
    kept[i] = zlib.deflate "gzip"
    kept[i]:write(TEXT, "finish")
  end
  lu.assertTrue(leaks.bytes() - before < 100000)
end

function T.test_one_that_is_collected_can_do_nothing()
  local inflate, deflate = zlib.inflate "raw", zlib.deflate "raw"
  getmetatable(inflate).__gc(inflate)
  getmetatable(deflate).__gc(deflate)
  inflate:feed("x")
  lu.assertErrorMsgContains("start again", inflate.read, inflate)
  lu.assertErrorMsgContains("start again", deflate.write, deflate, "x")
  deflate:reset()
  lu.assertErrorMsgContains("start again", deflate.write, deflate, "x")
end

function T.test_a_missing_library_says_what_to_install()
  lu.assertTrue(optional.has "zlib")
  lu.assertTrue(optional.load "zlib" == zlib)
  local cpath, path = package.cpath, package.path
  package.loaded["aio.zlib"], package.cpath, package.path = nil, "", ""
  local found, err = pcall(optional.load, "zlib")
  local there = optional.has "zlib"
  package.loaded["aio.zlib"], package.cpath, package.path = zlib, cpath, path
  lu.assertFalse(found or there)
  lu.assertStrContains(tostring(err), "aio/zlib.so (in LuaRocks the rock aio-zlib, built with "
    .. "Debian's zlib1g-dev)")
end

local PYTHON = [[
import sys, zlib, gzip
data = sys.stdin.buffer.read()
n = int(sys.argv[1])
plain = gzip.decompress(data[:n]) + zlib.decompress(data[n:])
sys.stdout.buffer.write(gzip.compress(plain))
]]

function T.test_python_reads_it_and_writes_it()
  local a, b = deflated("gzip", TEXT), deflated("zlib", TEXT)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(a, b)
  file:close()
  local pipe = assert(io.popen(("python3 -c %s %d < %s"):format(env.quote(PYTHON), #a,
    env.quote(name))))
  local answer = pipe:read "a"
  pipe:close()
  os.remove(name)
  lu.assertTrue((inflated("gzip", answer, 1000)) == TEXT .. TEXT)
end

return T
