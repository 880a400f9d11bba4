-- tail -f: the last lines of a file, then what is added, also when it is cut off or replaced by a
-- new one (log rotation). With an argument: tail.lua FILE [LINES]. Without: a log of its own, and
-- somebody who writes to it.
local aio = require "aio"

local BLOCK = 4096

-- Moves to the last n lines: looks for newlines from the end on, block by block.
local function seek_lines(file, n)
  local at, left = file:seek("end"), n + 1
  while at > 0 and left > 0 do
    local from = math.max(at - BLOCK, 0)
    local block = file:pread(at - from, from)
    for i = #block, 1, -1 do
      if block:byte(i) == 10 then left = left - 1 end
      if left == 0 then
        file:seek("set", from + i)
        return
      end
    end
    at = from
  end
  file:seek("set")
end

-- Gives all that is there to `out`; a file that was cut off is read from its beginning.
local function drain(file, out)
  if file:stat().size < file:seek() then file:seek("set") end
  for data in function() return file:read(BLOCK) end do out(data) end
end

local function follow(path, n, out)
  local watch <close> = aio.fs.watch(path)
  local file = aio.open(path)
  local _ <close> = aio.defer(function() file:close() end)
  seek_lines(file, n)
  drain(file, out)
  for _ in watch do
    drain(file, out)
    local now, stat = file:stat(), nil
    local there = aio.catch(aio.OSError, function() stat = aio.fs.stat(path) end)
    if there and (stat.ino ~= now.ino or stat.dev ~= now.dev) then
      file:close()
      file = aio.open(path)
      drain(file, out)
    end
  end
end

-- Writes a log, and rotates it once; each line only when the one before was seen.
local function writer(path, seen)
  local function say(text)
    local log <close> = aio.open(path, "a")
    log:write(text, "\n")
    log:close()
    repeat until seen:get() == text
  end
  say("four")
  say("five")
  aio.fs.rename(path, path .. ".1")
  say("six, in a new file")
end

local function demo()
  local folder = aio.fs.mkdtemp()
  local _ <close> = aio.defer(aio.fs.remove, folder, { recursive = true })
  local path, seen = folder .. "/log", aio.Queue()
  aio.fs.write(path, "one\ntwo\nthree\n")
  local rest = ""
  local tail <close> = aio.create_task(follow, path, 2, function(data)
    io.write(data)
    rest = (rest .. data):gsub("([^\n]*)\n", function(line)
      seen:put_nowait(line)
      return ""
    end)
  end)
  repeat until seen:get() == "three"
  writer(path, seen)
  tail:cancel()
end

aio.main(function()
  if #arg == 0 then return demo() end
  local out = aio.stdout()
  follow(arg[1], tonumber(arg[2]) or 10, function(data) out:write(data) end)
end)
-- prints:
-- two
-- three
-- four
-- five
-- six, in a new file
