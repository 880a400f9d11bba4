-- SPDX-License-Identifier: MIT
-- Multipart bodies: read however they are cut, written, and what is refused.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"

local T = { TestReader = {}, TestParts = {}, TestWriter = {} }
if not env.has_http() then
  function T.test_http() lu.skip("this build has no library for HTTP") end
  T.TestReader, T.TestParts, T.TestWriter = nil, nil, nil
  return T
end

local content = require "aio.http.content"
local hc = require "aio.http.core"
local http = require "aio.http"

local TYPE = { ["Content-Type"] = "multipart/form-data; boundary=b" }

-- A body that comes in pieces of so many bytes.
local function content_of(text, step)
  local at = 1
  return content.new(function()
    if at > #text then return nil end
    local piece = text:sub(at, at + step - 1)
    at = at + step
    return piece
  end)
end

local function reader_of(text, step, opts)
  return http.MultipartReader(TYPE, content_of(text, step or 65536), opts)
end

-- What a body is, as text: the parts, then why it is malformed.
local function shape(text, step, opts)
  local out = {}
  local ok, err = pcall(function()
    for part in reader_of(text, step, opts):parts() do
      local fields = {}
      for name, value in pairs(part.headers) do fields[#fields + 1] = name .. "=" .. value end
      out[#out + 1] = ("[%s]%s"):format(table.concat(fields, ","), part:read())
    end
  end)
  if not ok then
    lu.assertTrue(aio.is(err, http.MultipartError), tostring(err))
    lu.assertEquals(err.status, 400)
    out[#out + 1] = "! " .. err.message
  end
  return table.concat(out, "; ")
end

local MALFORMED = "a malformed header in the head of a part"
local EARLY = "the multipart body ends early"

local BODIES = {
  { "--b\r\nA: 1\r\n\r\nhello\r\n--b\r\nB:2\r\nC:  3 \r\n\r\nworld\r\n--b--\r\n",
    "[A=1]hello; [B=2,C=3]world" },
  { "--b--", "" }, { "--b--junk", "" }, { "\r\n--b--\r\n", "" },
  { "preamble\r\n--b\r\n\r\nx\r\n--b--\r\nepilogue\r\n--b\r\n\r\ny\r\n--b--", "[]x" },
  { "--b\r\n\r\n\r\n--b--", "[]" }, { "--b\r\nA: 1\r\n\r\n--b--", "[A=1]" },
  { "--b\r\n\r\n--b--", "[]" }, { "--b \t \r\n\r\nx\r\n--b--", "[]x" },
  { "--b\r\n\r\n\r\n\r\n\r\n--b--", "[]\r\n\r\n" },
  -- what only looks like a boundary is data
  { "--b\r\n\r\nx\r\n--bc\r\n--b--", "[]x\r\n--bc" }, { "--b\r\n\r\n--bx\r\n--b--", "[]--bx" },
  { "--b\r\n\r\nx\n--b--\r\n--b-\r\n--b--", "[]x\n--b--\r\n--b-" },
  { "--b\r\n\r\nx\r--b--\r\r\n--b--", "[]x\r--b--\r" },
  { "--b\r\n\r\n\r\n--\r\n-\r\n\r\n--b--", "[]\r\n--\r\n-\r\n" },
  { "--b\r\n\r\nx\r\n--b\rx\r\n--b--", "[]x\r\n--b\rx" },
  { "--b\r\n\r\nx\r\n--b\r\r\n--b--", "[]x\r\n--b\r" },
  { "--b\r\n\r\nx\r\n--B\r\n--b--", "[]x\r\n--B" },
  { "--b\r\n\r\nx\r\n --b\r\n--b--", "[]x\r\n --b" },
  { "x--b\r\n\r\n--b--\r\n--b--", "" },
  -- malformed
  { "", "! " .. EARLY }, { "junk", "! " .. EARLY }, { "--b", "! " .. EARLY },
  { "--b\r\n", "! " .. EARLY },
  { "--b\r\n\r\nx\r\n--b", "! " .. EARLY }, { "--b\r\n\r\nx\r\n--b-", "! " .. EARLY },
  { "--b\r\nA: 1\r\n", "! " .. EARLY }, { "--b\n\nx\n--b--\n", "! " .. EARLY },
  { "--b x\r\n\r\n--b--", "! a boundary with something behind it" },
  { "--b \rx\r\n\r\n--b--", "! a boundary with something behind it" },
  { "--b" .. (" "):rep(129) .. "\r\n\r\n--b--", "! a boundary with something behind it" },
  { "--b\r\nA 1\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\n: 1\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA : 1\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA: 1\r\n B\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA: \0\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA: 1\rB: 2\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA: 1\nB: 2\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA\195\164: 1\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA: \27\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\nA: \127\r\n\r\n\r\n--b--", "! " .. MALFORMED },
  { "--b\r\n" .. ("A: 1\r\n"):rep(65) .. "\r\n\r\n--b--", "! a part with too many header fields" },
}

-- Whole, one byte at a time, and in pieces of other sizes.
function T.TestReader.test_bodies_cut_anywhere()
  for i, case in ipairs(BODIES) do
    local text, expected = case[1], case[2]
    lu.assertEquals(shape(text), expected, ("%d: %q"):format(i, text))
    for _, step in ipairs { 1, 2, 3, 5, 8, 13, 21 } do
      local got = shape(text, step)
      -- a part that was under way when the body turned out to be malformed is not told of
      lu.assertEquals(got, expected, ("%d, %d bytes at once: %q"):format(i, step, text))
    end
  end
end

-- Any one byte in the place of another, and every prefix: the same verdict whole and in bytes.
function T.TestReader.test_mutated()
  for i = 1, 24 do
    local text = BODIES[i][1]
    for at = 1, #text do
      for _, byte in ipairs { 0, 10, 13, 32, 45, 58, 98, 255 } do
        local mutated = text:sub(1, at - 1) .. string.char(byte) .. text:sub(at + 1)
        lu.assertEquals(shape(mutated, 1), shape(mutated))
      end
      lu.assertEquals(shape(text:sub(1, at), 1), shape(text:sub(1, at)))
    end
  end
end

function T.TestReader.test_limits()
  local head = "A: " .. ("x"):rep(100) .. "\r\n"
  lu.assertStrContains(shape("--b\r\n" .. head:rep(50) .. "\r\n\r\n--b--"), "[A=x")
  for _, step in ipairs { 1, 65536 } do
    lu.assertEquals(shape("--b\r\nA: " .. ("x"):rep(20000), step),
      "! the head of a part is too long")
    lu.assertEquals(shape("--b\r\n" .. head .. "\r\n", step, { max_head = 50 }),
      "! the head of a part is too long")
    lu.assertEquals(shape(("x"):rep(65537), step), "! no boundary in the first 64 KiB")
    lu.assertEquals(shape(("\r\n--"):rep(17000), step), "! no boundary in the first 64 KiB")
  end
  lu.assertStrContains(shape(("--b\r\n\r\n\r\n"):rep(1001) .. "--b--"), "! more than 1000 parts")
  lu.assertEquals(shape(("--b\r\n\r\n\r\n"):rep(3), nil, { max_parts = 2 }),
    "[]; []; ! more than 2 parts")
end

-- A part without an end, of bytes that all but end it: each byte is looked at once.
function T.TestReader.test_hostile_bytes_in_linear_time()
  local boundary = ("b"):rep(70)
  local kind = { ["Content-Type"] = "multipart/mixed; boundary=" .. boundary }
  local nearly = "\r\n--" .. boundary:sub(1, 69)
  for _, unit in ipairs { nearly, "\r", "\r\n", "\r\n--", "\r\n--" .. boundary .. "-x" } do
    local body = "--" .. boundary .. "\r\n\r\n" .. unit:rep((1 << 18) // #unit)
    for _, step in ipairs { 1, 7, 65536 } do
      local cut = step == 1 and body:sub(1, 20000) or body
      local part = http.MultipartReader(kind, content_of(cut, step)):next()
      local size = 0
      local ok, err = pcall(function()
        for piece in part:chunks() do size = size + #piece end
      end)
      lu.assertFalse(ok)
      lu.assertEquals(err.message, EARLY)
      lu.assertTrue(size > #cut - 2 * #boundary - 100)
    end
  end
end

function T.TestReader.test_wrong_types()
  local function refused(kind, status, text)
    local ok, err = pcall(http.MultipartReader, { ["Content-Type"] = kind }, content_of("", 1))
    lu.assertFalse(ok, kind)
    lu.assertEquals(err.status, status)
    lu.assertStrContains(err.message, text)
  end
  refused(nil, 415, "multipart body expected")
  refused("text/plain; boundary=b", 415, "multipart body expected")
  for _, boundary in ipairs { "", "; boundary=", "; boundary=\"\"", "; boundary=\"a \"",
    "; boundary=\"a\rb\"",
    "; boundary=" .. ("b"):rep(71), "; boundary=\"a\195\164\"", "; boundary=\"a;b\"" } do
    refused("multipart/mixed" .. boundary, 400, "valid boundary")
  end
  lu.assertErrorMsgContains("headers expected", http.MultipartReader, nil, content_of("", 1))
  lu.assertErrorMsgContains("content of a request", http.MultipartReader, TYPE, "x")
  lu.assertErrorMsgContains("unknown option", http.MultipartReader, TYPE, content_of("", 1),
    { x = 1 })
  lu.assertErrorMsgContains("a position in the piece", function() hc.multipart("b", 10):next("a",
    3) end)
end

-- ---- parts ----

local function one(head, body)
  return reader_of(("--b\r\n%s\r\n\r\n%s\r\n--b--"):format(head, body)):next()
end

function T.TestParts.test_names()
  local function names(value)
    local part = one("Content-Disposition: " .. value, "")
    return { part.name, part.filename }
  end
  lu.assertEquals(names 'form-data; name="a b"', { "a b" })
  lu.assertEquals(names 'form-data; name=a; filename="x.txt"', { "a", "x.txt" })
  lu.assertEquals(names 'form-data; name="\195\164"; filename="\195\182.txt"',
    { "\195\164", "\195\182.txt" })
  lu.assertEquals(names "form-data; name=a; filename=\"x\"; filename*=UTF-8''%c3%b6",
    { "a", "\195\182" })
  lu.assertEquals(names 'form-data; name="a\\"b"; filename=""', { 'a"b', "" })
  lu.assertEquals(names 'form-data; name="a%22b"', { "a%22b" })
  for _, path in ipairs { "/etc/passwd", "..\\..\\passwd", "C:\\dir\\passwd", "a/../passwd",
    "./passwd" } do
    lu.assertEquals(names(('form-data; name=a; filename="%s"'):format(path)), { "a", "passwd" })
  end
  lu.assertEquals(names 'form-data; name=a; filename=".."', { "a", "" })
  lu.assertEquals(names "form-data; name=a; filename*=UTF-8''..%2f..%2fx%00%0a", { "a", "x__" })
  lu.assertEquals(names "form-data", {})
  lu.assertEquals(names "junk junk", {})
end

function T.TestParts.test_contents()
  local part = one("content-type: Text/Plain; charset=ISO-8859-1", "a\228")
  lu.assertEquals({ part.content_type, part.charset, part.headers["Content-Type"] },
    { "text/plain", "ISO-8859-1", "Text/Plain; charset=ISO-8859-1" })
  lu.assertEquals(part:text(), "a\195\164")
  lu.assertEquals(one("A: b", "\195\164"):text(), "\195\164")
  lu.assertEquals(one("A: b", "").content_type, "text/plain")
  local lines = {}
  for line in one("A: b", "x\r\ny\nz"):lines() do lines[#lines + 1] = line end
  lu.assertEquals(lines, { "x\r", "y", "z" })
  local function refused(status, method, head, body, ...)
    local p = one(head, body)
    local ok, err = pcall(p[method], p, ...)
    lu.assertFalse(ok)
    lu.assertEquals(err.status, status)
  end
  refused(400, "text", "A: b", "\255")
  refused(415, "text", "Content-Type: text/plain; charset=koi8-r", "a")
  refused(413, "read", "A: b", "12345", 4)
  refused(415, "decoded", "Content-Encoding: lzma", "x")
  lu.assertEquals(one("A: b", "1234"):read(4), "1234")
  lu.assertErrorMsgContains("number of bytes expected", part.read, part, "x")
end

function T.TestParts.test_json()
  if not require("aio.optional").has "jansson" then return lu.skip("no library for JSON") end
  lu.assertEquals(one("A: b", "[1]"):json(), { 1 })
  local part = one("A: b", "[1")
  local ok, err = pcall(part.json, part)
  lu.assertFalse(ok)
  lu.assertEquals(err.status, 400)
end

function T.TestParts.test_passing_over()
  local reader = reader_of("--b\r\nA: 1\r\n\r\nlong long\r\n--b\r\nA: 2\r\n\r\nx\r\n--b--", 3)
  local first = reader:next()
  lu.assertEquals(first.content:readexactly(2), "lo")
  local second = reader:next()
  lu.assertEquals(second.headers.a, "2")
  lu.assertErrorMsgContains("passed over", first.read, first)
  lu.assertEquals({ second:read(), second:read() }, { "x", "" })
  lu.assertNil(reader:next())
  lu.assertNil(reader:next())
  lu.assertErrorMsgContains("write a colon", reader.next, {})
end

function T.TestParts.test_nested()
  local inner = "--c\r\nX: 1\r\n\r\none\r\n--c\r\n\r\ntwo\r\n--c--\r\n"
  local reader = reader_of("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" .. inner
    .. "\r\n--b\r\n\r\nthree\r\n--b--", 5)
  local texts = {}
  for part in reader:next():multipart():parts() do texts[#texts + 1] = part:read() end
  texts[#texts + 1] = reader:next():read()
  lu.assertEquals(texts, { "one", "two", "three" })
  local part = one("Content-Type: multipart/mixed; boundary=c", "--c\r\n\r\nx")
  local nested = part:multipart():next()
  lu.assertErrorMsgContains(EARLY, nested.read, nested)
end

-- A task that is cancelled while it waits for a piece: the next who reads loses nothing.
function T.TestParts.test_cancelled()
  aio.run(function()
    local queue = aio.Queue()
    local reader = http.MultipartReader(TYPE, content.new(function() return queue:get() end))
    queue:put "--b\r\n\r\nab"
    local part = reader:next()
    lu.assertEquals(part.content:readany(), "ab")
    local task = aio.create_task(function() part.content:readany() end)
    aio.sleep(0)
    task:cancel()
    pcall(task.await, task)
    queue:put "cd\r\n-"
    queue:put "-b--"
    lu.assertEquals(part:read(), "cd")
    lu.assertNil(reader:next())
  end)
end

-- ---- writing ----

-- The bytes of a body as body.lua has it, and whether their number is what it says.
local function bytes_of(body)
  local parts = {}
  for chunk in require("aio.http.body").chunks(body) do parts[#parts + 1] = chunk end
  local text = table.concat(parts)
  if body.size then lu.assertEquals(body.size, #text) end
  return text
end

function T.TestWriter.test_what_is_written()
  local writer = http.MultipartWriter("mixed", "b")
  lu.assertEquals(bytes_of(writer:_as_body()), "--b--\r\n")
  writer:append "one"
  writer:append(2, { content_type = "x/y", headers = { ["X-A"] = "b" } })
  writer:append("three", { filename = "t.html" })
  lu.assertEquals(bytes_of(writer:_as_body()),
    "--b\r\n\r\none\r\n--b\r\nX-A: b\r\nContent-Type: x/y"
    .. "\r\n\r\n2\r\n--b\r\nContent-Disposition: attachment; filename=\"t.html\"\r\n"
    .. "Content-Type: text/html; charset=utf-8\r\n\r\nthree\r\n--b--\r\n")
  lu.assertEquals(writer:size(), #bytes_of(writer:_as_body()))
  lu.assertEquals(writer.content_type, "multipart/mixed; boundary=b")
  lu.assertEquals(http.MultipartWriter("mixed", "a:b").content_type,
    'multipart/mixed; boundary="a:b"')
  local one_of, other = http.MultipartWriter(), http.MultipartWriter()
  lu.assertStrMatches(one_of.boundary, ("%x"):rep(32))
  lu.assertNotEquals(one_of.boundary, other.boundary)
end

function T.TestWriter.test_sources()
  local path = os.tmpname()
  local file = assert(io.open(path, "w+b"))
  file:write(("x"):rep(100000))
  file:seek("set", 10)
  local writer = http.MultipartWriter("mixed", "b")
  writer:append(file)
  writer:append(content_of("streamed", 3))
  local n = 0
  writer:append(function()
    n = n + 1
    return n <= 2 and "chunk" or nil
  end)
  local inner = http.MultipartWriter("mixed", "c")
  inner:append "inside"
  writer:append(inner)
  lu.assertNil(writer:size())
  local body = writer:_as_body()
  lu.assertFalse(body.again)
  local reader = http.MultipartReader({ ["Content-Type"] = writer.content_type },
    content_of(bytes_of(body), 99))
  local got = {}
  for part in reader:parts() do
    local nested = part.content_type:find "^multipart"
    got[#got + 1] = nested and part:multipart():next():read() or part:read()
  end
  lu.assertEquals(got, { ("x"):rep(99990), "streamed", "chunkchunk", "inside" })
  file:close()
  os.remove(path)
end

function T.TestWriter.test_refused()
  local writer = http.MultipartWriter "form-data"
  local function refused(text, value, opts)
    lu.assertErrorMsgContains(text, writer.append, writer, value, opts)
  end
  refused("control characters", "x", { name = "a\0" })
  refused("control characters", "x", { filename = "a\27" })
  refused("X-A", "x", { headers = { ["X-A"] = "b\r\nC: d" } })
  refused("X A", "x", { headers = { ["X A"] = "b" } })
  refused("Content-Type", "x", { content_type = "a/b\r\nC: d" })
  refused("unknown option", "x", { size = 1 })
  refused("expected, got boolean", true)
  lu.assertEquals(bytes_of(http.MultipartWriter("mixed", "b"):_as_body()), "--b--\r\n")
  lu.assertErrorMsgContains("behind \"multipart/\"", http.MultipartWriter, "a/b")
  for _, boundary in ipairs { "", "a b", "a\r", ("b"):rep(71), "a\"b" } do
    lu.assertErrorMsgContains("a boundary of 1 to 70", http.MultipartWriter, "mixed", boundary)
  end
  writer:append("x", { name = 'a"b\r\nc', filename = '"\n' })
  lu.assertStrContains(bytes_of(writer:_as_body()), 'name="a%22b%0D%0Ac"; filename="%22%0A"')
end

return T
