-- SPDX-License-Identifier: MIT
-- Files that are not plain ones, and what goes wrong: FIFOs, devices, errors, cancellation, files
-- that are left open.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local folder = require "support.folder"
local support = require "support.tasks"

local get, put, sh = folder.get, folder.put, folder.sh
local os_error, raised = support.os_error, support.raised
local HOSTILE = env.hostile

local T = { TestDevices = {}, TestErrors = {}, TestCancel = {}, TestUnclosed = {} }

local case = folder.cases(T)

-- ---- FIFOs and devices ----

local function with_fifo(dir)
  sh("mkfifo %s/fifo", dir)
  return dir .. "/fifo"
end

case("TestDevices", "both_ends_of_a_fifo", function(dir)
  local path, begun = with_fifo(dir), aio.Event()
  local reader = aio.create_task(function()
    local f <close> = aio.open(path)
    local lines = {}
    for line in f:lines() do
      lines[#lines + 1] = line
      begun:set()
    end
    return lines
  end)
  local w <close> = aio.open(path, "w")
  w:write("one\ntw"):flush()
  begun:wait()
  w:write("o\n", ("x"):rep(100000), "\nlast")
  w:close()
  lu.assertEquals(reader:await(), { "one", "two", ("x"):rep(100000), "last" })
end)

case("TestDevices", "a_fifo_and_a_process", function(dir)
  local path = with_fifo(dir)
  local p <close> = aio.create_subprocess_shell(("cat > '%s'"):format(path), { stdin = aio.PIPE })
  local f <close> = aio.open(path)
  p.stdin:write("12 ")
  lu.assertEquals(f:read "n", 12)
  p.stdin:write("rest")
  p.stdin:close()
  lu.assertEquals(f:read "a", " rest")
  os_error("ESPIPE", f.seek, f)
  os_error("ESPIPE", f.pread, f, 1, 0)
  lu.assertEquals(f:stat().type, "fifo")
end)

case("TestDevices", "a_fifo_that_nobody_reads", function(dir)
  local path = with_fifo(dir)
  raised(aio.TimeoutError, aio.timeout, 0.01, aio.open, path, "w")
  local f = aio.open(path, "r+") -- both ends at once
  f:write("x\n"):flush()
  lu.assertEquals(f:read(), "x")
  raised(aio.TimeoutError, aio.timeout, 0.01, f.read, f)
  f:close()
end)

case("TestDevices", "a_reader_that_goes", function(dir)
  local path = with_fifo(dir)
  local r = aio.create_task(aio.open, path)
  local w = aio.open(path, "w")
  r:await():close()
  w:write("lost")
  local err = os_error("EPIPE", w.close, w)
  lu.assertEquals(err.syscall, "write")
  lu.assertEquals(w:fileno(), nil)
end)

case("TestDevices", "close_ends_a_read_that_waits", function(dir)
  local f = aio.open(with_fifo(dir))
  local task, second = aio.create_task(f.read, f), aio.create_task(f.read, f, "a")
  aio.sleep(0)
  f:close()
  lu.assertEquals(task:await(), nil)
  lu.assertEquals(second:await(), "")
end)

case("TestDevices", "a_cancelled_read_of_a_fifo_loses_nothing", function(dir)
  local path = with_fifo(dir)
  local f <close> = aio.open(path)
  local w <close> = aio.open(path, "w")
  local task = aio.create_task(f.read, f)
  w:write("ha"):flush()
  aio.fs.stat(dir) -- the loop has looked meanwhile
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  w:write("lf\n"):flush()
  lu.assertEquals(f:read(), "half")
end)

case("TestDevices", "devices", function()
  do
    local f <close> = aio.open("/dev/null", "r+")
    f:write("gone"):flush()
    lu.assertEquals(f:read(), nil)
  end
  local zero <close> = aio.open "/dev/zero"
  lu.assertEquals(zero:read(5), ("\0"):rep(5))
  local random <close> = aio.open "/dev/urandom"
  lu.assertEquals(#random:read(1000), 1000)
  local status <close> = aio.open "/proc/self/status"
  lu.assertStrContains(status:read(), "Name:")
  lu.assertEquals(aio.fs.read "/dev/null", "")
  aio.fs.write("/dev/null", "gone")
  lu.assertEquals(aio.fs.stat("/dev/null").type, "char")
  os_error("ENOSPC", aio.fs.write, "/dev/full", "x")
end)

-- ---- errors ----

case("TestErrors", "opening", function(dir)
  local err = os_error("ENOENT", aio.open, dir .. "/none")
  lu.assertEquals({ err.filename, err.syscall }, { dir .. "/none", "open" })
  lu.assertStrContains(os_error("ENOENT", aio.open, dir .. "/none/f", "w").message, "mkdir")
  lu.assertStrContains(os_error("EISDIR", aio.open, dir).message, "scandir")
  os_error("EISDIR", aio.open, dir, "w")
  put(dir .. "/f", "")
  os_error("ENOTDIR", aio.open, dir .. "/f/g")
  sh("ln -s loop %s/loop", dir)
  os_error("ELOOP", aio.open, dir .. "/loop")
  local socket <close> = aio.start_unix_server(print, dir .. "/socket")
  lu.assertStrContains(os_error("ENXIO", aio.open, socket and dir .. "/socket").message, "socket")
end)

case("TestErrors", "a_full_disk", function()
  local f = aio.open("/dev/full", "w")
  f:setvbuf("full", 1000)
  f:write("held back")
  os_error("ENOSPC", f.flush, f)
  f:write("once more")
  os_error("ENOSPC", f.close, f)
  lu.assertEquals(f:fileno(), nil)
end)

-- When nobody waited for it any more as it failed the next one hears of it; somebody always does.
case("TestErrors", "of_a_write_that_was_cancelled", function()
  local f = aio.open("/dev/full", "w")
  local task = aio.create_task(f.write, f, ("x"):rep(100000))
  aio.sleep(0)
  task:cancel()
  aio.wait { task }
  if task:cancelled() then
    os_error("ENOSPC", f.close, f)
  else
    lu.assertEquals(task:exception().code, "ENOSPC")
    f:close()
  end
end)

case("TestErrors", "reading_a_folder_of_proc", function()
  local f <close> = aio.open "/proc/self/mem"
  os_error("EIO", f.read, f, 10)
end)

function T.TestErrors.test_wrong_arguments()
  folder.with(function(dir)
    aio.run(function()
      local f <close> = aio.open(put(dir .. "/f", "text"), "r+")
      local bad = {
        { "#1 to 'open' %(path expected", aio.open },
        { "#1 to 'open' %(a path without zero", aio.open, "a\0" },
        { "#2 to 'open' %(invalid mode", aio.open, "f", "q" },
        { "#2 to 'open' %(invalid mode", aio.open, "f", "rw" },
        { "#2 to 'open' %(invalid mode", aio.open, "f", "rx" },
        { "#2 to 'open' %(invalid mode", aio.open, "f", 1 },
        { "#3 to 'open' %(unknown option", aio.open, "f", "w", { perm = 1 } },
        { "#3 to 'open' %(option 'mode'", aio.open, "f", "w", { mode = "rw" } },
        { "#1 to '.-read' %(a number of bytes", f.read, f, "x" },
        { "#1 to '.-read' %(a number of bytes", f.read, f, "" },
        { "#2 to '.-read' %(a number of bytes, not neg", f.read, f, "l", -1 },
        { "#1 to '.-lines' %(a number of bytes", f.lines, f, "x" },
        { "#1 to '.-write' %(string expected", f.write, f, {} },
        { "#1 to '.-seek' %(invalid option", f.seek, f, "begin" },
        { "#2 to '.-seek' %(number has no integer", f.seek, f, "set", 1.5 },
        { "#2 to '.-pread' %(an offset", f.pread, f, 1, -1 },
        { "#1 to '.-pread' %(a number of bytes", f.pread, f, -1, 1 },
        { "#2 to '.-pwrite' %(an offset", f.pwrite, f, "", -1 },
        { "#1 to '.-truncate' %(a size", f.truncate, f, -1 },
        { "#1 to '.-setvbuf' %(invalid option", f.setvbuf, f, "some" },
        { "#2 to '.-setvbuf' %(a positive number", f.setvbuf, f, "full", 0 },
        { "#1 to 'mkstemp' %(path expected", aio.fs.mkstemp, {} },
      }
      for _, row in ipairs(bad) do
        local target, args = row[2], table.pack(table.unpack(row, 3))
        local object = { call = target }
        local ok, err = pcall(function() object.call(table.unpack(args, 1, args.n)) end)
        lu.assertFalse(ok)
        local number, rest = row[1]:match "^#(%d)(.*)$"
        if args[1] == f then number = number + 1 end
        rest = rest:gsub("'.-'", "'.-'")
        lu.assertStrMatches(tostring(err), ".*bad argument #" .. number .. rest .. ".*")
      end
      lu.assertEquals(f:read "a", "text")
    end)
  end)
end

-- ---- cancellation ----

case("TestCancel", "a_write_goes_on", function(dir)
  local path = dir .. "/f"
  local f = aio.open(path, "w")
  local task = aio.create_task(f.write, f, ("x"):rep(1000000))
  aio.sleep(0)
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  f:write("end")
  f:close()
  lu.assertTrue(get(path) == ("x"):rep(1000000) .. "end")
end)

-- Readers are cancelled at any moment; the others get all there is, in order.
case("TestCancel", "reads_lose_nothing", function(dir)
  local count = HOSTILE and 300 or 2000
  local lines = {}
  for i = 1, count do lines[i] = ("%d\n"):format(i) end
  local f <close> = aio.open(put(dir .. "/f", table.concat(lines)))
  f:setvbuf("full", 10)
  local got = {}
  while true do
    local tasks = {}
    for i = 1, 6 do
      tasks[i] = aio.create_task(function()
        local n = f:read "n"
        got[#got + 1] = n
        return n
      end)
    end
    for _ = 1, math.random(0, 4) do aio.sleep(0) end
    for i = 1, 6 do if math.random(2) == 1 then tasks[i]:cancel() end end
    aio.wait(tasks)
    if not tasks[6]:cancelled() and not tasks[6]:result() then break end
  end
  lu.assertEquals(#got, count)
  for i = 1, count do lu.assertEquals(got[i], i) end
end)

case("TestCancel", "close_goes_on", function(dir)
  local path = dir .. "/f"
  local f = aio.open(path, "w")
  f:write("text")
  local task = aio.create_task(f.close, f)
  aio.sleep(0)
  task:cancel()
  aio.wait { task }
  while get(path) ~= "text" do aio.sleep(0) end
  lu.assertEquals(f:fileno(), nil)
end)

case("TestCancel", "opening", function(dir)
  local path = put(dir .. "/f", "")
  for turns = 0, 3 do
    local tasks = {}
    for i = 1, 10 do tasks[i] = aio.create_task(aio.open, path) end
    for _ = 1, turns do aio.sleep(0) end
    for i = 1, 10 do tasks[i]:cancel() end
    aio.wait(tasks)
    for i = 1, 10 do if not tasks[i]:cancelled() then tasks[i]:result():close() end end
  end
end)

-- ---- what is left open ----

local function reports(fn)
  local seen = {}
  aio.run_with({ debug = true }, function()
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(function(_, ctx) seen[#seen + 1] = ctx end)
    aio.create_task(fn):await()
    collectgarbage()
    collectgarbage()
    aio.sleep(0)
  end)
  return seen
end

function T.TestUnclosed.test_collected()
  folder.with(function(dir)
    local path = dir .. "/f"
    local seen = reports(function()
      local f = aio.open(path, "w")
      f:write("held back")
    end)
    lu.assertEquals(#seen, 1)
    lu.assertEquals(seen[1].kind, "unclosed")
    lu.assertStrMatches(seen[1].message, ".*made at .*test_file_bad%.lua:%d+")
    lu.assertStrContains(tostring(seen[1].file), "closed")
    lu.assertEquals(get(path), "held back")
  end)
end

function T.TestUnclosed.test_a_task_that_died_passes_its_turn_on()
  folder.with(function(dir)
    aio.run(function()
      local f <close> = aio.open(put(dir .. "/f", "one\ntwo\n"))
      local task = aio.create_task(function() f:pread(3, 0) end)
      aio.sleep(0)
      coroutine.close(task:get_coro())
      aio.wait { task }
      collectgarbage()
      collectgarbage()
      lu.assertEquals(f:read(), "one")
      pcall(task.result, task)
    end)
  end)
end

function T.TestUnclosed.test_loop_closes_first()
  folder.with(function(dir)
    local path, loop = dir .. "/f", aio.new_event_loop()
    local f = loop:run_until_complete(loop:create_task(aio.open, path, "w"))
    loop:run_until_complete(loop:create_task(f.write, f, "held back"))
    loop:close()
    lu.assertEquals(get(path), "held back")
    lu.assertStrContains(tostring(f), "closed")
    aio.run(function() raised(aio.RuntimeError, f.write, f, "x") end)
  end)
end

-- Operations live on without Lua; those that write are done in the end.
function T.TestUnclosed.test_loop_closes_while_operations_run()
  folder.with(function(dir)
    local path = dir .. "/f"
    local text = ("x"):rep(1000000)
    for _ = 1, 5 do
      local loop = aio.new_event_loop()
      loop:set_exception_handler(function() end) -- of pending tasks
      local f = loop:run_until_complete(loop:create_task(aio.open, path, "w+"))
      for _ = 1, 3 do loop:create_task(f.write, f, text) end
      loop:create_task(f.read, f)
      loop:call_soon(function() loop:call_soon(loop.stop, loop) end)
      loop:run_forever()
      loop:close()
      for _ = 1, 10000 do
        if #get(path) == 3 * #text then break end
        os.execute("sleep 0.01")
      end
      lu.assertEquals(#get(path), 3 * #text)
    end
  end)
end

function T.TestUnclosed.test_another_loop()
  folder.with(function(dir)
    local loop = aio.new_event_loop()
    local f = loop:run_until_complete(loop:create_task(aio.open, dir .. "/f", "w"))
    aio.run(function()
      local err = raised(aio.RuntimeError, f.sync, f)
      lu.assertStrContains(err.message, "another loop")
    end)
    loop:run_until_complete(loop:create_task(f.close, f))
    loop:close()
  end)
end

-- Its clock stands still while a file is at work.
function T.TestUnclosed.test_virtual_clock()
  folder.with(function(dir)
    require("aio.testing").run(function()
      local f <close> = aio.open(dir .. "/f", "w")
      f:setvbuf "no"
      aio.timeout(0.001, function()
        for i = 1, 50 do f:write(i) end
      end)
      lu.assertEquals(aio.get_running_loop():time(), 0)
    end)
  end)
end

function T.TestUnclosed.test_many_files_leave_no_descriptor()
  folder.with(function(dir)
    local list = "/proc/self/fd"
    aio.run(function()
      local before = #aio.fs.scandir(list)
      for i = 1, 50 do
        local f <close> = aio.open(dir .. "/" .. i, "w")
        f:write(i)
      end
      lu.assertEquals(#aio.fs.scandir(list), before)
    end)
  end)
end

return T
