-- SPDX-License-Identifier: MIT
-- aio.fs.watch: real changes in a folder of each case.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local folder = require "support.folder"
local raised = require("support.tasks").raised

local put, sh = folder.put, folder.sh
local HOSTILE = env.hostile

local T = {}

local function case(name, body)
  T["test_" .. name] = function()
    folder.with(function(dir) aio.run(body, dir) end)
  end
end

-- Waits for an event of that type and path; what comes before it is skipped.
local function expect(watch, type, path)
  aio.timeout(30, function()
    for event in watch do
      if event.path == path and (event.type == type or event.type == "overflow") then return end
    end
    lu.fail "the watch was closed"
  end)
end

case("a_file_changes", function(dir)
  local path = put(dir .. "/f", "one")
  local watch <close> = aio.fs.watch(path)
  put(dir .. "/other", "not watched")
  put(path, "two")
  local event = watch()
  lu.assertEquals({ event.type, event.path, event.name }, { "change", path, "f" })
end)

case("a_file_is_replaced_and_made_again", function(dir)
  local path = put(dir .. "/f", "one")
  local watch <close> = aio.fs.watch(path)
  for _ = 1, 3 do
    sh("echo two > %s/new; mv %s/new %s", dir, dir, path)
    expect(watch, "rename", path)
    sh("echo three >> %s", path)
    expect(watch, "change", path)
    os.remove(path)
    expect(watch, "rename", path)
    put(path, "four")
    expect(watch, "rename", path)
  end
end)

case("a_folder", function(dir)
  local watch <close> = aio.fs.watch(dir)
  put(dir .. "/a", "")
  local event = watch()
  lu.assertEquals({ event.type, event.path, event.name }, { "rename", dir .. "/a", "a" })
  sh("mkdir %s/sub", dir)
  expect(watch, "rename", dir .. "/sub")
  put(dir .. "/a", "text")
  expect(watch, "change", dir .. "/a")
  sh("mv %s/a %s/b", dir, dir)
  expect(watch, "rename", dir .. "/a")
  expect(watch, "rename", dir .. "/b")
end)

case("a_folder_is_made_again", function(dir)
  local path = dir .. "/sub"
  sh("mkdir %s", path)
  local watch <close> = aio.fs.watch(path)
  for _ = 1, 3 do
    sh("rmdir %s", path)
    expect(watch, "rename", path)
    sh("mkdir %s", path)
    expect(watch, "rename", path)
    put(path .. "/f", "")
    expect(watch, "rename", path .. "/f")
    sh("rm %s/f", path)
  end
end)

case("a_link_leads_to_what_is_watched", function(dir)
  put(dir .. "/f", "")
  sh("ln -s f %s/link", dir)
  local watch <close> = aio.fs.watch(dir .. "/link")
  put(dir .. "/f", "text")
  expect(watch, "change", dir .. "/link")
end)

case("close_ends_the_loop", function(dir)
  local watch = aio.fs.watch(dir)
  lu.assertStrContains(tostring(watch), "FsWatch (" .. dir)
  local tasks = {}
  for i = 1, 3 do
    tasks[i] = aio.create_task(function()
      local n = 0
      for _ in watch do n = n + 1 end
      return n
    end)
  end
  aio.sleep(0)
  watch:close()
  for i = 1, 3 do lu.assertEquals(tasks[i]:await(), 0) end
  watch:close()
  lu.assertEquals(watch(), nil)
  lu.assertStrContains(tostring(watch), "closed")
end)

case("cancelled_it_loses_nothing", function(dir)
  local watch <close> = aio.fs.watch(dir)
  local task = aio.create_task(watch)
  local second = aio.create_task(watch)
  aio.sleep(0)
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  put(dir .. "/f", "")
  lu.assertEquals(second:await().name, "f")
end)

case("more_than_the_queue_holds", function(dir)
  local watch <close> = aio.fs.watch(dir)
  for i = 1, HOSTILE and 20 or 5000 do
    put(dir .. "/a" .. i, "")
    os.remove(dir .. "/a" .. i)
  end
  local last
  aio.timeout(30, function()
    repeat last = watch() until last.type == "overflow"
  end)
  lu.assertEquals(last.path, dir)
  put(dir .. "/end", "")
  expect(watch, "rename", dir .. "/end")
end)

case("errors", function(dir)
  local err = raised(aio.OSError, aio.fs.watch, dir .. "/none")
  lu.assertEquals({ err.code, err.filename }, { "ENOENT", dir .. "/none" })
  lu.assertStrContains(select(2, pcall(aio.fs.watch)), "path expected")
  lu.assertStrContains(select(2, pcall(aio.fs.watch, "a\0")), "zero bytes")
  local watch <close> = aio.fs.watch "/"
  lu.assertStrContains(tostring(watch), "(/)")
end)

function T.test_recursive_is_refused()
  folder.with(function(dir)
    aio.run(function()
      lu.assertErrorMsgContains("bad argument #2 to 'watch' (option 'recursive': a watch is of one",
        aio.fs.watch, dir, { recursive = true })
      lu.assertErrorMsgContains("unknown option 'persistent'", aio.fs.watch, dir,
        { persistent = true })
      local watch <close> = aio.fs.watch(dir, { recursive = false })
      lu.assertNotNil(watch)
    end)
  end)
end

function T.test_unclosed()
  folder.with(function(dir)
    local seen = {}
    aio.run_with({ debug = true }, function()
      aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
      aio.get_running_loop():set_exception_handler(function(_, ctx) seen[#seen + 1] = ctx end)
      aio.fs.watch(dir)
      collectgarbage()
      collectgarbage()
      aio.sleep(0)
    end)
    lu.assertEquals(#seen, 1)
    lu.assertEquals(seen[1].kind, "unclosed")
    lu.assertStrMatches(seen[1].message, ".*made at .*test_fs_watch%.lua:%d+")
  end)
end

function T.test_loop_closes_first()
  folder.with(function(dir)
    local loop = aio.new_event_loop()
    local watch = loop:run_until_complete(loop:create_task(aio.fs.watch, dir))
    put(dir .. "/f", "")
    loop:close()
    aio.run(function() lu.assertEquals(watch(), nil) end)
    watch:close()
  end)
end

function T.test_another_loop()
  folder.with(function(dir)
    local loop <close> = aio.new_event_loop()
    local watch <close> = loop:run_until_complete(loop:create_task(aio.fs.watch, dir))
    aio.run(function() raised(aio.RuntimeError, watch) end)
  end)
end

return T
