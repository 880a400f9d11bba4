-- SPDX-License-Identifier: MIT
-- aio.open: files beside those of plain io, which do the same; positions; the order of calls.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local folder = require "support.folder"
local support = require "support.tasks"

local get, put, sh = folder.get, folder.put, folder.sh
local os_error, raised = support.os_error, support.raised
local HOSTILE = env.hostile

local T = { TestLikeIo = {}, TestPositions = {}, TestOrder = {} }

local case = folder.cases(T)

-- ---- the same as io ----

local TEXTS = {
  "", "\n", "one", "one\n", "one\ntwo", "one\n\n\nfour\n", "12 0x1F -3.5e2 .5 1e 7x\n8",
  "a\0b\nc\0\n",
  "  \t\n 3 \n", "0x", "- 1", "nan inf", ("long "):rep(200) .. "\nend", ("9"):rep(150) .. " 1\n",
  "1\n2\n3\n", "\r\nx\r\n", "1.5.5", "0x.8p-1 0xp 5", "+7", "1e+",
}
local FORMATS = {
  { "l", "l", "l" }, { "L", "L" }, { "a", "a" }, { "n", "n", "n", "n" }, { 3, 0, 100, 1 },
  { "n", "l" },
  { 1, "L", "n", "a" }, { "l", 5, "n", "L", "a", 0 }, { "*l", "*n", "*a" }, {}, { 0, 0 },
}

case("TestLikeIo", "formats", function(dir)
  for _, text in ipairs(TEXTS) do
    local path = put(dir .. "/f", text)
    for _, formats in ipairs(FORMATS) do
      local expected <close> = assert(io.open(path, "rb"))
      local file <close> = aio.open(path)
      for _ = 1, 4 do
        lu.assertEquals(table.pack(file:read(table.unpack(formats))),
          table.pack(expected:read(table.unpack(formats))),
          ("%q by %s"):format(text, table.concat(formats, ",")))
      end
    end
  end
end)

case("TestLikeIo", "lines", function(dir)
  for _, text in ipairs(TEXTS) do
    local path = put(dir .. "/f", text)
    for _, formats in ipairs { {}, { "L" }, { 4 }, { "l", 2 }, { "n" } } do
      local expected, got = {}, {}
      for a, b in io.lines(path, table.unpack(formats)) do expected[#expected + 1] = { a, b } end
      local file <close> = aio.open(path, "rb")
      for a, b in file:lines(table.unpack(formats)) do got[#got + 1] = { a, b } end
      lu.assertEquals(got, expected, text)
    end
  end
end)

-- The same random calls on a file of each kind; then what is in both.
local function random_calls(open, seed)
  math.randomseed(seed)
  local results = {}
  local file = open()
  for _ = 1, 200 do
    local what = math.random(9)
    local got
    if what <= 2 then
      file:seek("cur", 0) -- C wants that between reading and writing
      file:write(("w%d "):format(math.random(1000)):rep(math.random(5)), math.random(100), "\n")
    elseif what <= 5 then
      file:seek("cur", 0)
      got = table.pack(file:read(table.unpack(FORMATS[math.random(#FORMATS)])))
    elseif what == 6 then
      got = file:seek("set", math.random(0, 300))
    elseif what == 7 then -- before the beginning io returns nil, and aio raises
      local ok, at = pcall(file.seek, file, "end", -math.random(0, 3))
      got = ok and at or "refused"
    elseif what == 8 then
      got = file:seek()
    else
      file:flush()
    end
    results[#results + 1] = got or "none"
  end
  file:close()
  return results
end

for _, mode in ipairs { "r+", "w+", "a+" } do
  case("TestLikeIo", "random_calls_in_mode_" .. mode:sub(1, 1), function(dir)
    local seed = os.getenv("AIO_SEED") or os.time()
    for i = 1, 20 do
      local a, b = dir .. "/a", dir .. "/b"
      put(a, ("some text 12 34\n"):rep(20))
      put(b, ("some text 12 34\n"):rep(20))
      local expected = random_calls(function() return io.open(a, mode) end, seed + i)
      local got = random_calls(function() return aio.open(b, mode) end, seed + i)
      for k = 1, #expected do
        lu.assertEquals(got[k], expected[k], ("seed %d call %d"):format(seed + i, k))
      end
      lu.assertEquals(get(b), get(a))
    end
  end)
end

case("TestLikeIo", "modes", function(dir)
  local path = dir .. "/f"
  os_error("ENOENT", aio.open, path, "r+")
  local f = aio.open(path, "w")
  lu.assertEquals(f:write("abc", 1, 2.5, "\n"), f)
  os_error("EBADF", f.read, f)
  os_error("EBADF", f.pread, f, 1, 0)
  f:close()
  lu.assertEquals(get(path), "abc12.5\n")
  f = aio.open(path, "a")
  f:write("more"):close()
  f = aio.open(path, "rb")
  lu.assertEquals(f:read "a", "abc12.5\nmore")
  local err = os_error("EBADF", f.write, f, "x")
  lu.assertEquals(err.filename, path)
  lu.assertStrContains(err.message, "r+")
  f:close()
  aio.open(path, "w"):close()
  lu.assertEquals(get(path), "")
  os_error("EEXIST", aio.open, path, "wx")
  f = aio.open(dir .. "/g", "w+x", { mode = "600" })
  lu.assertEquals(f:stat().mode, 384)
  f:close()
end)

case("TestLikeIo", "large", function(dir)
  local size = HOSTILE and 20000 or 3000000
  local text = ("0123456789abcde\n"):rep(size // 16)
  local path = dir .. "/f"
  local f = aio.open(path, "w")
  f:write(text)
  for _ = 1, 1000 do f:write("0123456789abcde\n") end
  f:close()
  lu.assertEquals(#get(path), #text + 16000)
  f = aio.open(path)
  local n = 0
  for line in f:lines() do
    n = n + 1
    if line ~= "0123456789abcde" then lu.fail(line) end
  end
  lu.assertEquals(n, size // 16 + 1000)
  f:seek("set")
  lu.assertTrue(f:read(#text) == text)
  lu.assertEquals(#f:read "a", 16000)
  f:close()
  local long = ("x"):rep(size)
  put(path, long .. "\nend")
  f = aio.open(path)
  lu.assertTrue(f:read() == long)
  lu.assertEquals(f:read(), "end")
  f:close()
end)

case("TestLikeIo", "setvbuf", function(dir)
  local path = dir .. "/f"
  local f <close> = aio.open(path, "w")
  f:setvbuf("full", 1000)
  f:write("held back\n")
  lu.assertEquals(get(path), "")
  f:flush()
  lu.assertEquals(get(path), "held back\n")
  lu.assertEquals(f:setvbuf "line", f)
  f:write("a")
  lu.assertEquals(get(path), "held back\n")
  f:write("b\nc")
  lu.assertEquals(get(path), "held back\nab\nc")
  f:setvbuf "no"
  f:write("d")
  lu.assertEquals(get(path), "held back\nab\ncd")
  f:setvbuf("full", 4)
  f:write("123"):write("4")
  lu.assertEquals(get(path), "held back\nab\ncd")
  f:write("5")
  lu.assertTrue(#get(path) >= #"held back\nab\ncd1234")
  local r <close> = aio.open(path)
  r:setvbuf("full", 3)
  lu.assertEquals(r:read(5), "held ")
end)

case("TestLikeIo", "tostring_and_close", function(dir)
  local path = put(dir .. "/f", "x")
  local f = aio.open(path)
  lu.assertStrMatches(tostring(f), "File %(" .. path:gsub("%p", "%%%0") .. "%): 0x%x+")
  lu.assertEquals(math.type(f:fileno()), "integer")
  f:close()
  lu.assertStrContains(tostring(f), "closed")
  lu.assertEquals(f:fileno(), nil)
  f:close()
  for _, method in ipairs { "read", "write", "lines", "seek", "flush", "sync", "truncate", "pread",
    "pwrite", "stat", "setvbuf" } do
    local err = raised(aio.RuntimeError, f[method], f, 1, 1)
    lu.assertStrContains(err.message, "closed")
  end
  local again
  do
    local g <close> = aio.open(path, "a")
    g:write("y")
    again = g
  end
  lu.assertStrContains(tostring(again), "closed")
  lu.assertEquals(get(path), "xy")
end)

-- ---- positions ----

case("TestPositions", "of_a_file_that_is_appended_to", function(dir)
  put(dir .. "/f", "12345")
  for _, mode in ipairs { "a", "a+" } do
    local f <close> = aio.open(dir .. "/f", mode)
    local plain <close> = io.open(dir .. "/f", mode)
    lu.assertEquals(f:seek(), plain:seek(), mode)
    f:write "6"
    f:flush()
    lu.assertEquals(f:seek(), #get(dir .. "/f"))
  end
end)

case("TestPositions", "pread_and_pwrite", function(dir)
  local path = put(dir .. "/f", "0123456789")
  local f <close> = aio.open(path, "r+")
  lu.assertEquals(f:read(2), "01")
  lu.assertEquals(f:pread(3, 5), "567")
  lu.assertEquals(f:pread(100, 8), "89")
  lu.assertEquals(f:pread(1, 10), nil)
  lu.assertEquals(f:pread(0, 10), "")
  lu.assertEquals(f:read(2), "23")
  lu.assertEquals(f:pwrite("AB", 4), f)
  lu.assertEquals(f:read(3), "AB6")
  f:write("xy")
  lu.assertEquals(f:pread(10, 0), "0123AB6xy9") -- what is held back comes first
  lu.assertEquals(f:seek(), 9)
end)

case("TestPositions", "truncate_and_sync", function(dir)
  local path = put(dir .. "/f", "0123456789")
  local f <close> = aio.open(path, "r+")
  lu.assertEquals(f:read(4), "0123")
  lu.assertEquals(f:truncate(8), f)
  lu.assertEquals(f:read "a", "4567")
  f:seek("set", 2)
  f:truncate()
  lu.assertEquals(get(path), "01")
  f:write("ab")
  lu.assertEquals(f:sync(), f)
  lu.assertEquals(get(path), "01ab")
  f:truncate(6)
  lu.assertEquals(get(path), "01ab\0\0")
  lu.assertEquals(f:stat().size, 6)
  os_error("EINVAL", f.seek, f, "set", -1)
  os_error("EINVAL", f.seek, f, "end", -7)
  lu.assertEquals(f:seek(), 4)
end)

-- What is read is what is there now: nothing of the end is remembered.
case("TestPositions", "a_file_that_grows", function(dir)
  local path = put(dir .. "/f", "one\n")
  local f <close> = aio.open(path)
  lu.assertEquals({ f:read(), f:read() }, { "one" })
  sh("echo two >> %s", path)
  lu.assertEquals({ f:read(), f:read() }, { "two" })
  lu.assertEquals(f:read "a", "")
  sh("echo 3 >> %s", path)
  lu.assertEquals(f:read "n", 3)
end)

-- Somebody adds to it all the time: reading to the end ends.
case("TestPositions", "a_file_that_grows_for_ever", function(dir)
  local path = put(dir .. "/f", "0123456789abcdef\n")
  local f <close> = aio.open(path)
  local writer <close> = aio.create_subprocess_shell(
    ("while :; do echo 0123456789abcdef; done >> '%s'"):format(path))
  for _ = 1, 20 do lu.assertEquals((f:read "a" .. (f:read "L" or "f\n")):sub(-2), "f\n") end
  writer:kill()
  writer:wait()
end)

case("TestPositions", "a_file_that_vanishes", function(dir)
  local path = put(dir .. "/f", "text")
  local f <close> = aio.open(path, "r+")
  os.remove(path)
  lu.assertEquals(f:read "a", "text")
  f:write(" more"):flush()
  lu.assertEquals(f:pread(100, 0), "text more")
  lu.assertEquals(f:stat().nlink, 0)
end)

case("TestPositions", "the_descriptor_follows", function(dir)
  local path = put(dir .. "/f", "one\ntwo\nthree\n")
  local f <close> = aio.open(path)
  f:read()
  local p <close> = aio.create_subprocess_exec("cat", { stdin = f, stdout = aio.PIPE })
  lu.assertEquals(p:communicate(), "two\nthree\n")
end)

case("TestPositions", "sendfile", function(dir)
  local path = put(dir .. "/f", "0123456789")
  local f <close> = aio.open(path, "r+")
  lu.assertEquals(f:read(1), "0")
  f:seek("set", 8)
  f:write("XY")
  local conn, peer <close> = require("aio.pair").stream_pair()
  lu.assertEquals(conn:sendfile(f, 4, 100), 6)
  conn:close()
  lu.assertEquals(peer:read "a", "4567XY")
  lu.assertEquals(f:seek(), 10)
end)

case("TestPositions", "temporary_file", function(dir)
  local f <close>, path = aio.fs.mkstemp(dir .. "/t-")
  lu.assertStrMatches(path, ".*/t%-%w%w%w%w%w%w")
  f:write("text"):seek("set")
  lu.assertEquals(f:read "a", "text")
  lu.assertEquals(f:stat().mode, 384)
  local g <close>, other = aio.fs.mkstemp()
  g:write("x")
  aio.fs.remove(other)
end)

-- ---- order ----

case("TestOrder", "first_come_first_served", function(dir)
  local f <close> = aio.open(dir .. "/f", "w+")
  f:setvbuf "no"
  local tasks = {}
  for i = 1, 50 do
    tasks[i] = aio.create_task(function()
      if i % 10 == 0 then f:sync() else f:write(i, " ") end
    end)
  end
  aio.gather(tasks)
  f:seek("set")
  local numbers = {}
  for n in f:lines "n" do numbers[#numbers + 1] = n end
  local expected = {}
  for i = 1, 50 do if i % 10 ~= 0 then expected[#expected + 1] = i end end
  lu.assertEquals(numbers, expected)
end)

-- A call with several formats has the file to itself.
case("TestOrder", "a_call_is_whole", function(dir)
  local lines = {}
  for i = 1, 300 do lines[i] = ("%d\nname %d\n"):format(i, i) end
  local f <close> = aio.open(put(dir .. "/f", table.concat(lines)))
  f:setvbuf("full", 16)
  local seen = {}
  aio.map(function()
    for n, _, name in function() return f:read("n", "L", "l") end do
      lu.assertEquals(name, "name " .. n)
      seen[#seen + 1] = n
    end
  end, { 1, 2, 3, 4, 5 })
  table.sort(seen)
  lu.assertEquals(#seen, 300)
  lu.assertEquals(seen[300], 300)
end)

case("TestOrder", "close_waits_for_what_came_before", function(dir)
  local path = dir .. "/f"
  local f = aio.open(path, "w")
  f:setvbuf "no"
  local tasks = {}
  for i = 1, 10 do tasks[i] = aio.create_task(f.write, f, i, "\n") end
  aio.sleep(0)
  f:close()
  aio.gather(tasks)
  lu.assertEquals(get(path), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n")
end)

-- Its thread of the pool would not come back, and its memory would grow.
case("TestOrder", "a_cancelled_read_without_an_end_ends", function()
  local f <close> = aio.open "/dev/zero"
  for _, job in ipairs {
    function() f:read "a" end, function() f:read "l" end, function() aio.fs.read "/dev/zero" end,
  } do
    local reader = aio.create_task(job)
    for _ = 1, 3 do aio.sleep(0) end
    reader:cancel()
    raised(aio.CancelledError, aio.await, reader)
    lu.assertEquals(f:read(2), "\0\0")
  end
end)

case("TestOrder", "nothing_is_written_after_another_call", function(dir)
  local f <close> = aio.open(dir .. "/f", "w")
  local first = aio.create_task(function() return f:stat().size end)
  local second = aio.create_task(function() return f:write "" end)
  lu.assertEquals(aio.await(first), 0)
  lu.assertEquals(aio.await(second), f)
end)

case("TestOrder", "gives_way_to_others", function(dir)
  local f <close> = aio.open(put(dir .. "/f", ("x\n"):rep(2000)))
  f:read()
  local turns = 0
  local other = aio.create_task(function()
    while true do
      turns = turns + 1
      aio.sleep(0)
    end
  end)
  local w <close> = aio.open(dir .. "/g", "w")
  aio.sleep(0)
  local before = turns
  for _ = 1, 1000 do f:read() end
  lu.assertTrue(turns > before + 2)
  before = turns
  for _ = 1, 1000 do w:write "x" end
  lu.assertTrue(turns > before + 2)
  other:cancel()
end)

return T
