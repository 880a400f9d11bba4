-- SPDX-License-Identifier: MIT
-- Content codings: each of them both ways in steps, bombs, bodies that end early, what is chosen.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"
local optional = require "aio.optional"

local T = {}
if not env.has_http() then
  function T.test_http() lu.skip("this build has no library for HTTP") end
  return T
end

local coding = require "aio.http.coding"
local http = require "aio.http"

local HERE = coding.codings()
local TEXT = {}
for i = 1, 800 do TEXT[i] = ("line %d %s\n"):format(i, ("\0\255"):rep(i % 5)) end
TEXT = table.concat(TEXT)

local function pull_of(text, step)
  local at = 1
  return function()
    if at > #text then return nil end
    local piece = text:sub(at, at + step - 1)
    at = at + step
    return piece
  end
end

local function encode(name, text, level) return coding.encoder(name, level):finish(text) end

local function decode(encoding, text, step)
  local pieces = {}
  for piece in coding.decoding(encoding, pull_of(text, step or 65536)) do
    lu.assertTrue(#piece > 0 and #piece <= 65536)
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

local function refused(encoding, text, status, message, step)
  local ok, err = pcall(decode, encoding, text, step)
  lu.assertFalse(ok, encoding)
  lu.assertTrue(aio.is(err, http.ContentCodingError), tostring(err))
  lu.assertEquals(err.status, status)
  if message then lu.assertStrContains(err.message, message) end
end

function T.test_there_and_back()
  for _, name in ipairs(HERE) do
    for _, text in ipairs { "", "x", TEXT } do
      local coded = encode(name, text)
      for _, step in ipairs { 1, 7, 65536 } do
        lu.assertEquals(decode(name, coded, step), text, name)
      end
    end
    lu.assertTrue(#encode(name, TEXT, 9) < #TEXT / 3)
    lu.assertEquals(decode(name:upper(), encode(name, TEXT)), TEXT)
  end
end

-- What was flushed can be read before more is written.
function T.test_in_steps()
  for _, name in ipairs(HERE) do
    local encoder, decoder = coding.encoder(name), coding.decoder(name)
    for i = 1, 20 do
      local text = ("%d "):format(i):rep(i * 20)
      decoder:feed(encoder:write(text:sub(1, 10)) .. encoder:flush(text:sub(11)))
      local pieces = {}
      for piece in function() return decoder:read(97) end do pieces[#pieces + 1] = piece end
      lu.assertEquals(table.concat(pieces), text)
      lu.assertFalse(decoder:finished())
    end
    decoder:feed(encoder:finish())
    lu.assertNil((decoder:read()))
    lu.assertTrue(decoder:finished())
    lu.assertEquals(decoder:rest(), "")
    lu.assertErrorMsgContains("after \"finish\"", encoder.write, encoder, "x")
  end
end

function T.test_ends_early_or_late()
  for _, name in ipairs(HERE) do
    local coded = encode(name, TEXT)
    for _, n in ipairs { 1, 2, 5, 10, #coded // 2, #coded - 1 } do
      refused(name, coded:sub(1, n), 400)
    end
    lu.assertEquals(decode(name, ""), "")
    for _, step in ipairs { 1, 65536 } do refused(name, coded .. "\1\2\3junk", 400, nil, step) end
  end
end

-- Any one byte in the place of another: an error or some bytes, never more than that.
function T.test_mutated()
  for _, name in ipairs(HERE) do
    local coded = encode(name, TEXT:sub(1, 300))
    for at = 1, #coded do
      for _, byte in ipairs { 0, 85, 255 } do
        local ok, err = pcall(decode, name, coded:sub(1, at - 1) .. string.char(byte)
          .. coded:sub(at + 1))
        lu.assertTrue(ok or aio.is(err, http.ContentCodingError), tostring(err))
      end
    end
    refused(name, "this is no compressed text, is it?", 400)
  end
end

function T.test_several_members()
  for _, name in ipairs { "gzip", "zstd" } do
    if optional.has(name == "gzip" and "zlib" or "zstd") then
      local coded = encode(name, "one ") .. encode(name, "") .. encode(name, "two")
      for _, step in ipairs { 1, 65536 } do lu.assertEquals(decode(name, coded, step),
        "one two") end
    end
  end
end

function T.test_one_in_the_other()
  if #HERE < 2 then return lu.skip("one coding only") end
  local a, b = HERE[1], HERE[2]
  local coded = encode(b, encode(a, TEXT))
  lu.assertEquals(decode(("%s, %s"):format(a, b), coded, 100), TEXT)
  lu.assertEquals(decode(("identity,%s ,, %s"):format(a, b), coded), TEXT)
  lu.assertEquals(decode("identity", "x"), "x")
  lu.assertEquals(decode("", "x"), "x")
  refused("gzip, gzip, gzip", "", 415, "more than two")
  refused("lzma", "", 415, "not known")
  refused("\0\27", "", 415, "not known")
end

-- A few KiB that would become 8 MiB end after little more than the free MiB.
function T.test_bombs()
  for _, name in ipairs(HERE) do
    local encoder, parts = coding.encoder(name), {}
    for i = 1, 8 do parts[i] = encoder:write(("\0"):rep(1 << 20)) end
    parts[#parts + 1] = encoder:finish()
    local bomb, size = table.concat(parts), 0
    local ok, err = pcall(function()
      for piece in coding.decoding(name, pull_of(bomb, 65536)) do size = size + #piece end
    end)
    lu.assertFalse(ok, name)
    lu.assertEquals(err.status, 413)
    lu.assertStrContains(err.message, name .. ": it grows to more than 250 times its size")
    lu.assertTrue(size <= 250 * #bomb + (2 << 20))
    lu.assertEquals(decode(name, encode(name, ("\0"):rep(1000000))), ("\0"):rep(1000000))
    local free = 0
    for piece in coding.decoding(name, pull_of(bomb, 65536), nil,
      math.huge) do free = free + #piece end
    lu.assertEquals(free, 8 << 20)
  end
end

-- The output of a shell command for a text as its input.
local function filtered(command, text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local pipe = io.popen(("%s < %s"):format(command, path))
  local out = pipe:read "a"
  lu.assertTrue(pipe:close(), command)
  os.remove(path)
  return out
end

local NODE = "node -e 'process.stdout.write(require(\"zlib\").%s(require(\"fs\").readFileSync(0)))'"

-- name, program, what it reads with, what it writes with
local OTHERS = {
  { "br", "node", NODE:format "brotliDecompressSync", NODE:format "brotliCompressSync" },
  { "deflate", "node", NODE:format "inflateSync", NODE:format "deflateSync" },
  { "deflate", "node", NODE:format "inflateSync", NODE:format "deflateRawSync" },
  { "gzip", "gzip", "gzip -dc", "gzip -c" }, { "zstd", "zstd", "zstd -q -dc", "zstd -q -c" },
}

function T.test_other_programs()
  for _, other in ipairs(OTHERS) do
    local name, program, read, write = table.unpack(other)
    local here = optional.has(({ br = "brotli", zstd = "zstd" })[name] or "zlib")
    if here and os.execute("command -v " .. program .. " >/dev/null 2>&1") then
      lu.assertEquals(filtered(read, encode(name, TEXT)), TEXT, read)
      lu.assertEquals(decode(name, filtered(write, TEXT), 1000), TEXT, write)
    end
  end
end

-- A part of a multipart body with a coding of its own.
function T.test_parts()
  if not optional.has "zlib" then return lu.skip("no zlib") end
  local content = require "aio.http.content"
  local function part_of(name, coded)
    local body = ("--b\r\nContent-Encoding: %s\r\n\r\n%s\r\n--b--"):format(name, coded)
    local kind = { ["Content-Type"] = "multipart/mixed; boundary=b" }
    return http.MultipartReader(kind, content.new(pull_of(body, 1000))):next()
  end
  local function refused_part(status, name, coded)
    local part = part_of(name, coded)
    local ok, err = pcall(function() return part:decoded():read() end)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, http.MultipartError))
    lu.assertEquals(err.status, status)
  end
  lu.assertEquals(part_of("gzip", encode("gzip", TEXT)):decoded():read(), TEXT)
  lu.assertEquals(part_of("identity", TEXT):decoded():read(), TEXT)
  refused_part(413, "gzip", encode("gzip", ("\0"):rep(8 << 20)))
  refused_part(400, "gzip", encode("gzip", TEXT):sub(1, -2))
  refused_part(400, "deflate", "junk")
  refused_part(415, "lzma", "junk")
end

function T.test_choose()
  local offers = { "zstd", "br", "gzip" }
  local function chosen(accept) return coding.choose(accept, offers) end
  lu.assertEquals(chosen "gzip, deflate, br", "br")
  lu.assertEquals(chosen "gzip;q=1.0, br;q=0.5", "gzip")
  lu.assertEquals(chosen "*", "zstd")
  lu.assertEquals(chosen "*;q=0.5, gzip", "gzip")
  lu.assertEquals(chosen "zstd;q=0, *", "br")
  lu.assertEquals(chosen "x-gzip", "gzip")
  lu.assertEquals(chosen "br;q=0.5, identity;q=0.4", "br")
  for _, accept in ipairs { "", "identity", "deflate", "*;q=0", "gzip;q=0", "gzip;q=junk",
    "identity, gzip;q=0.9" } do
    lu.assertNil(chosen(accept), accept)
  end
  lu.assertNil(chosen(nil))
  lu.assertNil(coding.choose("compress"))
  lu.assertNil(coding.decoder "compress")
  lu.assertErrorMsgContains("\"br\" or \"zstd\" expected", coding.encoder, "lzma")
end

function T.test_wrong_calls()
  for name, library in pairs { br = "brotli", zstd = "zstd" } do
    if optional.has(library) then
      local made = optional.load(library)
      lu.assertErrorMsgContains("a number from", made.encoder, 100)
      lu.assertErrorMsgContains("string expected", coding.decoder(name)._inner.feed,
        made.decoder(), nil)
      local decoder = made.decoder()
      decoder:feed "x"
      lu.assertErrorMsgContains("not used up", decoder.feed, decoder, "y")
      lu.assertErrorMsgContains("positive number", decoder.read, decoder, 0)
      lu.assertErrorMsgContains("expected", decoder.read, io.stdout)
    end
  end
end

-- An installation without a library says what to install, at the first use; a peer is told less.
function T.test_without_a_library()
  local program = [[
    for _, name in ipairs { "brotli", "zstd", "zlib" } do
      package.preload["aio." .. name] = function() error("no such file", 0) end
    end
    local coding = require "aio.http.coding"
    print(#coding.codings(), coding.choose("gzip, br"))
    for _, name in ipairs { "br", "zstd", "gzip" } do
      print(pcall(coding.encoder, name))
      print(pcall(coding.decoding, name, print))
      pcall(coding.decoding, name, print, function(...) print(...) error "x" end)
    end]]
  local pipe = io.popen(env.command("-e " .. env.quote(program) .. " /dev/null"))
  local text = pipe:read "a"
  pipe:close()
  lu.assertStrContains(text, "0\tnil")
  for _, rock in ipairs { "aio-brotli", "aio-zstd", "aio-zlib" } do
    lu.assertEquals(select(2, text:gsub("the rock " .. rock:gsub("%-", "%%-"), "")), 3)
  end
  lu.assertStrContains(text, "a content coding that cannot be read here\t415")
end

-- A request whose body is coded, and one whose body is a bomb: the server goes on.
function T.test_requests()
  if not optional.has "zlib" then return lu.skip("no zlib") end
  local testing = require "aio.http.testing"
  aio.run(function()
    local app = http.Application()
    app:post("/", function(req) return tostring(#req:read()) end)
    local server <close> = testing.TestServer(app)
    local function post(encoding, body)
      local raw <close> = server:connect()
      local res = raw:ask(("POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: %s\r\n"
        .. "Content-Length: %d\r\n\r\n%s"):format(encoding, #body, body))
      return res.status, res.body
    end
    lu.assertEquals({ post("gzip", encode("gzip", TEXT)) }, { 200, tostring(#TEXT) })
    lu.assertEquals((post("gzip", encode("gzip", ("\0"):rep(8 << 20)))), 413)
    lu.assertEquals((post("gzip", "junk")), 400)
    lu.assertEquals((post("lzma", "junk")), 415)
    lu.assertEquals((post("gzip,gzip,gzip", "junk")), 415)
    lu.assertEquals({ post("gzip", encode("gzip", "x")) }, { 200, "1" })
  end)
end

return T
