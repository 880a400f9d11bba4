-- SPDX-License-Identifier: MIT
-- aio.fs: real files in a folder of each case, looked at with plain io and the shell.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local folder = require "support.folder"
local support = require "support.tasks"

local fs, get, put, sh = aio.fs, folder.get, folder.put, folder.sh
local os_error, raised = support.os_error, support.raised
local ROOT = io.popen("id -u"):read "n" == 0

local T = { TestRead = {}, TestWrite = {}, TestFolders = {}, TestWalk = {}, TestErrors = {},
  TestCancel = {} }

local case = folder.cases(T)

-- ---- stat and what changes it ----

case("TestFolders", "stat_tells_what_it_is", function(dir)
  put(dir .. "/file", "twelve bytes")
  sh("ln -s file %s/link; mkfifo %s/fifo; chmod 640 %s/file", dir, dir, dir)
  local stat = fs.stat(dir .. "/file")
  lu.assertEquals({ stat.type, stat.size, stat.mode, stat.nlink }, { "file", 12, 416, 1 })
  for _, field in ipairs { "uid", "gid", "dev", "ino", "rdev", "blksize", "blocks" } do
    lu.assertEquals(math.type(stat[field]), "integer", field)
  end
  for _, field in ipairs { "atime", "mtime", "ctime", "birthtime" } do
    lu.assertTrue(stat[field] > 1e9, field)
  end
  lu.assertEquals(fs.stat(dir .. "/link").type, "file")
  lu.assertEquals(fs.lstat(dir .. "/link").type, "link")
  lu.assertEquals(fs.stat(dir .. "/fifo").type, "fifo")
  lu.assertEquals(fs.stat(dir).type, "directory")
  lu.assertEquals(fs.stat("/dev/null").type, "char")
end)

case("TestFolders", "permissions_owner_and_times", function(dir)
  local path = put(dir .. "/f", "")
  fs.chmod(path, "604")
  lu.assertEquals(fs.stat(path).mode, tonumber("604", 8))
  fs.chmod(path, 384)
  lu.assertEquals(fs.stat(path).mode, 384)
  fs.utime(path, 1000000.5, 2000000)
  local stat = fs.stat(path)
  lu.assertEquals({ stat.atime, stat.mtime }, { 1000000.5, 2000000.0 })
  fs.utime(path)
  lu.assertAlmostEquals(fs.stat(path).mtime, os.time(), 60)
  fs.chown(path, stat.uid, stat.gid)
  fs.chown(path)
  lu.assertEquals(fs.stat(path).uid, stat.uid)
  if ROOT then
    fs.chown(path, 12, nil)
    lu.assertEquals(fs.stat(path).uid, 12)
  end
end)

-- ---- names ----

case("TestFolders", "links_and_names", function(dir)
  put(dir .. "/a", "text")
  fs.rename(dir .. "/a", dir .. "/b")
  lu.assertEquals(get(dir .. "/a"), nil)
  fs.link(dir .. "/b", dir .. "/hard")
  lu.assertEquals(fs.stat(dir .. "/b").nlink, 2)
  fs.symlink("b", dir .. "/soft")
  lu.assertEquals(fs.readlink(dir .. "/soft"), "b")
  lu.assertEquals(fs.realpath(dir .. "/../" .. dir:match "[^/]*$" .. "/soft"),
    fs.realpath(dir) .. "/b")
  fs.remove(dir .. "/soft")
  lu.assertEquals(get(dir .. "/b"), "text")
  local err = os_error("EEXIST", fs.symlink, "b", dir .. "/hard")
  lu.assertEquals(err.filename, dir .. "/hard")
end)

case("TestFolders", "scandir_lists_in_order", function(dir)
  sh("cd %s && mkdir c && touch b a && ln -s b d", dir)
  local names = {}
  for i, entry in ipairs(fs.scandir(dir)) do names[i] = entry.name .. " " .. entry.type end
  lu.assertEquals(names, { "a file", "b file", "c directory", "d link" })
  fs.mkdir(dir .. "/e")
  lu.assertEquals(fs.scandir(dir .. "/e"), {})
end)

case("TestFolders", "mkdir_and_parents", function(dir)
  fs.mkdir(dir .. "/a", { mode = "700" })
  lu.assertEquals(fs.stat(dir .. "/a").mode, 448)
  os_error("EEXIST", fs.mkdir, dir .. "/a")
  os_error("ENOENT", fs.mkdir, dir .. "/x/y")
  fs.mkdir(dir .. "/x//y/z/", { parents = true })
  fs.mkdir(dir .. "/x/y/z", { parents = true })
  lu.assertEquals(fs.stat(dir .. "/x/y/z").type, "directory")
  put(dir .. "/file", "")
  os_error("EEXIST", fs.mkdir, dir .. "/file", { parents = true })
  os_error("ENOTDIR", fs.mkdir, dir .. "/file/a/b", { parents = true })
  sh("ln -s x %s/link", dir)
  fs.mkdir(dir .. "/link", { parents = true })
end)

case("TestFolders", "many_make_the_same_parents", function(dir)
  local path = dir .. "/a/b/c/d"
  aio.map(function() fs.mkdir(path, { parents = true }) end, { 1, 2, 3, 4, 5, 6, 7, 8 })
  lu.assertEquals(fs.stat(dir .. "/a/b/c/d").type, "directory")
end)

case("TestFolders", "remove", function(dir)
  sh("cd %s && mkdir -p t/a/b && touch t/1 t/a/2 t/a/b/3 keep && ln -s ../keep t/a/link"
    .. " && ln -s .. t/up", dir)
  os_error("ENOTEMPTY", fs.rmdir, dir .. "/t")
  local err = raised(aio.OSError, fs.remove, dir .. "/t")
  lu.assertStrContains(tostring(err), "recursive")
  fs.remove(dir .. "/t", { recursive = true })
  lu.assertEquals(#fs.scandir(dir), 1)
  sh("mkdir %s/d; ln -s d %s/link", dir, dir)
  fs.remove(dir .. "/link", { recursive = true })
  fs.rmdir(dir .. "/d")
  fs.remove(dir .. "/keep", { recursive = true })
  os_error("ENOENT", fs.remove, dir .. "/keep", { recursive = true })
  lu.assertEquals(fs.scandir(dir), {})
end)

case("TestFolders", "remove_never_follows_a_link_that_comes_meanwhile", function(dir)
  sh("cd %s && mkdir -p out t/z && touch out/keep t/z/keep && mkdir t/a && touch t/a/1", dir)
  sh("cd %s && for i in 1 2 3 4 5 6 7 8 9; do mkdir -p t/b$i/c/d; done", dir)
  local function swap()
    while aio.fs.stat(dir .. "/t/a/1").size == 0 do aio.sleep(0) end
  end
  local swapper = aio.create_task(function()
    pcall(swap)
    sh("cd %s && { mv t/z zz && ln -s ../out t/z; } 2>/dev/null; true", dir)
  end)
  aio.sleep(0)
  pcall(fs.remove, dir .. "/t", { recursive = true })
  aio.await(swapper)
  lu.assertEquals(#fs.scandir(dir .. "/out"), 1)
end)

case("TestFolders", "remove_of_a_link_with_a_slash", function(dir)
  sh("cd %s && mkdir out && touch out/keep && ln -s out link", dir)
  fs.remove(dir .. "/link/", { recursive = true })
  lu.assertEquals(#fs.scandir(dir .. "/out"), 1)
end)

case("TestFolders", "remove_refuses_what_it_could_only_empty", function(dir)
  sh("cd %s && mkdir -p d/e && touch d/file", dir)
  for _, path in ipairs { "/d/.", "/d/./", "/d/e/..", "/d/e/..//" } do
    local err = os_error("EINVAL", fs.remove, dir .. path, { recursive = true })
    lu.assertEquals(err.filename, dir .. path)
    lu.assertEquals(#fs.scandir(dir .. "/d"), 2, path)
  end
  os_error("ENOENT", fs.remove, "", { recursive = true })
  sh("mkdir -p %s/d/.e %s/d/...", dir, dir)
  fs.remove(dir .. "/d/.e", { recursive = true })
  fs.remove(dir .. "/./d/...", { recursive = true })
  lu.assertEquals(#fs.scandir(dir .. "/d"), 2)
end)

case("TestFolders", "remove_of_a_tree_too_deep_for_a_path", function(dir)
  sh([[cd %s && i=0 && while [ $i -lt 30 ]; do p=$(printf '%%0200d' 0);
    mkdir $p && cd -P ./$p; i=$((i+1)); done; touch file]], dir)
  fs.remove(dir .. "/" .. ("0"):rep(200), { recursive = true })
  lu.assertEquals(fs.scandir(dir), {})
end)

case("TestFolders", "what_remove_has_failed_at", function(dir)
  if ROOT then return end
  sh("cd %s && mkdir -p t/a/b && touch t/a/b/file && chmod 500 t/a/b", dir)
  local err = os_error("EACCES", fs.remove, dir .. "/t", { recursive = true })
  sh("chmod 700 %s/t/a/b", dir)
  lu.assertEquals(err.filename, dir .. "/t/a/b/file")
end)

case("TestRead", "a_fifo_whose_writer_waits", function(dir)
  for i = 1, 10 do
    local path = dir .. "/fifo" .. i
    sh("mkfifo %s", path)
    sh([[(trap '' PIPE; exec 3>%s; for i in 1 2 3 4 5 6 7 8 9; do echo x >&3 || exit; done)]]
      .. [[ >%s/out 2>&1 &]], path, dir)
    lu.assertEquals(fs.read(path), ("x\n"):rep(9))
  end
end)

-- Whoever writes to a FIFO notices when its reader goes; of files it is a matter of time.
case("TestRead", "everything_is_opened_once", function(dir)
  lu.skipIf(env.valgrind or not os.execute "command -v strace >/dev/null",
    "needs strace")
  put(dir .. "/small", "x")
  sh("mkfifo %s/fifo", dir)
  local program = put(dir .. "/program.lua", [[
    local aio = require "aio"
    local dir = ...
    aio.run(function() print(aio.fs.read(dir .. "/small"), aio.fs.read(dir .. "/fifo")) end)]])
  local _ <close> = aio.create_subprocess_shell(("echo y > %s/fifo"):format(dir))
  local reader <close> = aio.create_subprocess_shell(
    ("ASAN_OPTIONS=detect_leaks=0 strace -fqqz -e '/^open(at2?)?$' -o %s/calls env %s"):format(dir,
      env.command(program .. " " .. dir)), { stdout = aio.PIPE, stderr = aio.STDOUT })
  local out = reader:communicate()
  lu.skipIf(out ~= "x\ty\n\n" and out:find "ptrace", "strace is not allowed here")
  lu.assertEquals(out, "x\ty\n\n")
  local calls = get(dir .. "/calls")
  for _, name in ipairs { "small", "fifo" } do
    lu.assertEquals(select(2, calls:gsub('"' .. dir .. "/" .. name .. '"', "")), 1, calls)
  end
end)

case("TestFolders", "temporary_folder", function(dir)
  local path = fs.mkdtemp(dir .. "/work-")
  lu.assertStrMatches(path, env.root and ".*/work%-%w%w%w%w%w%w")
  lu.assertEquals(fs.stat(path).mode, 448)
  local other = fs.mkdtemp()
  lu.assertEquals(fs.stat(other).type, "directory")
  fs.rmdir(other)
end)

-- ---- walk ----

local function tree(dir)
  sh("cd %s && mkdir -p a/aa b && touch 1 a/2 a/aa/3 b/4 && ln -s a link && ln -s .. b/up", dir)
end

local function walked(dir, opts)
  local steps = {}
  for path, folders, files in fs.walk(dir, opts) do
    steps[#steps + 1] = ("%s [%s] [%s]"):format(path:sub(#dir + 1), table.concat(folders, " "),
      table.concat(files, " "))
  end
  return steps
end

case("TestWalk", "top_down", function(dir)
  tree(dir)
  lu.assertEquals(walked(dir),
    { " [a b] [1 link]", "/a [aa] [2]", "/a/aa [] [3]", "/b [] [4 up]" })
end)

case("TestWalk", "bottom_up", function(dir)
  tree(dir)
  lu.assertEquals(walked(dir, { bottom_up = true }),
    { "/a/aa [] [3]", "/a [aa] [2]", "/b [] [4 up]", " [a b] [1 link]" })
end)

case("TestWalk", "pruned", function(dir)
  tree(dir)
  local paths = {}
  for path, folders in fs.walk(dir) do
    paths[#paths + 1] = path:sub(#dir + 1)
    if folders[1] == "a" then table.remove(folders, 1) end
  end
  lu.assertEquals(paths, { "", "/b" })
end)

case("TestWalk", "follows_links_once", function(dir)
  tree(dir)
  lu.assertEquals(walked(dir, { follow = true }),
    { " [a b link] [1]", "/a [aa] [2]", "/a/aa [] [3]", "/b [up] [4]" })
end)

case("TestWalk", "what_cannot_be_read", function(dir)
  tree(dir)
  os_error("ENOENT", walked, dir .. "/none")
  local told
  lu.assertEquals(walked(dir .. "/none", { on_error = function(err) told = err end }), {})
  lu.assertEquals(told.code, "ENOENT")
  local n = 0
  for path in fs.walk(dir, { on_error = function() n = n + 1 end }) do
    if path == dir then sh("rm -r %s/b", dir) end -- it vanishes meanwhile
  end
  lu.assertEquals(n, 1)
end)

-- ---- whole files ----

case("TestRead", "sizes", function(dir)
  for _, size in ipairs { 0, 1, 15, 16, 17, 4095, 4096, 100000 } do
    local text = ("0123456789"):rep(size // 10 + 1):sub(1, size)
    lu.assertTrue(fs.read(put(dir .. "/f", text)) == text, size)
  end
end)

case("TestRead", "files_whose_length_is_not_told", function()
  lu.assertStrContains(fs.read "/proc/self/status", "Name:")
  lu.assertTrue(#fs.read "/proc/self/environ" > 0)
end)

case("TestRead", "many_at_once", function(dir)
  local paths = {}
  for i = 1, 200 do paths[i] = put(dir .. "/" .. i, "number " .. i) end
  local texts = aio.map(fs.read, paths)
  for i = 1, 200 do lu.assertEquals(texts[i], "number " .. i) end
end)

-- Another process appends all the time: each read ends, and gives what was there then.
case("TestRead", "a_file_that_grows", function(dir)
  local path = put(dir .. "/f", "")
  local writer <close> = aio.create_subprocess_shell(
    ("while :; do echo 0123456789abcdef; done >> '%s'"):format(path))
  local last = 0
  for _ = 1, 20 do
    local text = fs.read(path)
    lu.assertTrue(#text >= last)
    lu.assertEquals(text:sub(1, 17), #text > 16 and "0123456789abcdef\n" or text)
    last = #text
  end
  writer:kill()
  writer:wait()
end)

case("TestWrite", "new_and_old", function(dir)
  local path = dir .. "/f"
  fs.write(path, "one")
  lu.assertEquals(get(path), "one")
  local umask = tonumber(io.popen("umask"):read "a", 8)
  lu.assertEquals(fs.stat(path).mode, tonumber("666", 8) & ~umask)
  fs.chmod(path, "640")
  fs.write(path, { "a", 1, 2.5, "b" }, { sync = false })
  lu.assertEquals(get(path), "a12.5b")
  lu.assertEquals(fs.stat(path).mode, tonumber("640", 8))
  fs.write(path, 42)
  lu.assertEquals(get(path), "42")
  fs.write(path, "")
  lu.assertEquals(get(path), "")
  fs.write(dir .. "/secret", "x", { mode = "600" })
  lu.assertEquals(fs.stat(dir .. "/secret").mode, 384)
  lu.assertEquals(#fs.scandir(dir), 2)
end)

case("TestWrite", "a_link_stays_a_link", function(dir)
  put(dir .. "/f", "old")
  sh("ln -s f %s/link", dir)
  fs.write(dir .. "/link", "new")
  lu.assertEquals(fs.lstat(dir .. "/link").type, "link")
  lu.assertEquals(get(dir .. "/f"), "new")
end)

-- A reader sees one whole content or the other, never a part.
case("TestWrite", "atomic", function(dir)
  local path, size = put(dir .. "/f", ("a"):rep(100000)), 100000
  aio.TaskGroup(function(tg)
    local writer = tg:create_task(function()
      for i = 1, 20 do fs.write(path, (i % 2 == 0 and "a" or "b"):rep(size), { sync = false }) end
    end)
    while not writer:done() do
      local text = fs.read(path)
      lu.assertTrue(text == ("a"):rep(size) or text == ("b"):rep(size))
    end
  end)
end)

case("TestWrite", "a_name_as_long_as_names_can_be", function(dir)
  local path = dir .. "/" .. ("n"):rep(255)
  fs.write(path, "content")
  lu.assertEquals(get(path), "content")
end)

case("TestWrite", "a_link_that_leads_nowhere_yet", function(dir)
  sh("cd %s && mkdir d && ln -s d/a link && ln -s b d/a && ln -s loop loop", dir)
  fs.write(dir .. "/link", "content")
  lu.assertEquals(fs.lstat(dir .. "/link").type, "link")
  lu.assertEquals(get(dir .. "/d/b"), "content")
  os_error("ELOOP", fs.write, dir .. "/loop", "")
end)

-- Looks at the new file beside while a large write is under way.
case("TestWrite", "nobody_sees_what_he_may_not_see_meanwhile", function(dir)
  put(dir .. "/secret", "old")
  sh("chmod 600 %s/secret", dir)
  local modes, data = {}, ("x"):rep(1 << 25)
  local writer = aio.create_task(fs.write, dir .. "/secret", data, { sync = false })
  while not writer:done() do
    aio.sleep(0)
    for name in io.popen(("stat -c '%%a %%n' %s/.*.tmp 2>&1"):format(dir)):lines() do
      if name:find "^%d+ " then modes[name:match "^%d+"] = true end
    end
  end
  modes["600"] = nil
  lu.assertEquals(modes, {})
  lu.assertEquals(fs.stat(dir .. "/secret").mode, tonumber("600", 8))
end)

case("TestWrite", "copies_only_to_files", function(dir)
  put(dir .. "/f", "content")
  sh("mkfifo %s/fifo", dir)
  local err = os_error("EINVAL", fs.copyfile, dir .. "/f", dir .. "/fifo")
  lu.assertEquals(err.filename, dir .. "/fifo")
  os_error("EEXIST", fs.copyfile, dir .. "/f", dir .. "/fifo", { exclusive = true })
end)

case("TestWrite", "copyfile", function(dir)
  put(dir .. "/f", ("x"):rep(100000))
  sh("chmod 640 %s/f", dir)
  fs.copyfile(dir .. "/f", dir .. "/g")
  lu.assertEquals(#get(dir .. "/g"), 100000)
  lu.assertEquals(fs.stat(dir .. "/g").mode, tonumber("640", 8))
  put(dir .. "/f", "short")
  fs.copyfile(dir .. "/f", dir .. "/g")
  lu.assertEquals(get(dir .. "/g"), "short")
  os_error("EEXIST", fs.copyfile, dir .. "/f", dir .. "/g", { exclusive = true })
  os_error("ENOENT", fs.copyfile, dir .. "/none", dir .. "/h")
  os_error("EISDIR", fs.copyfile, dir, dir .. "/h")
  os_error("EINVAL", fs.copyfile, "/dev/null", dir .. "/h")
end)

-- ---- errors ----

case("TestErrors", "code_filename_and_remedy", function(dir)
  local none = dir .. "/none"
  for name, args in pairs { stat = { none }, lstat = { none }, read = { none }, scandir = { none },
    rmdir = { none }, remove = { none }, readlink = { none }, realpath = { none },
    chmod = { none, "600" }, chown = { none, 0, 0 }, utime = { none }, rename = { none, "x" },
    link = { none, dir .. "/x" }, copyfile = { none, "x" } } do
    local err = os_error("ENOENT", fs[name], table.unpack(args))
    lu.assertEquals(err.filename, none, name)
    lu.assertStrContains(err.message, none)
    lu.assertTrue(err.errno > 0 and #err.syscall > 0)
  end
  lu.assertStrContains(tostring(os_error("ENOENT", fs.write, none .. "/f", "")), "mkdir")
  lu.assertStrContains(tostring(os_error("ENOENT", fs.mkdir, none .. "/f")), "parents")
  lu.assertStrContains(tostring(os_error("EISDIR", fs.read, dir)), "scandir")
  lu.assertStrContains(tostring(os_error("EISDIR", fs.write, dir, "")), "folder")
  put(dir .. "/f", "")
  os_error("ENOTDIR", fs.scandir, dir .. "/f")
  os_error("ENOTDIR", fs.read, dir .. "/f/g")
  os_error("ENOENT", fs.stat, "")
  os_error("ENAMETOOLONG", fs.stat, ("x"):rep(5000))
  os_error("EINVAL", fs.readlink, dir .. "/f")
  os_error("ENOENT", fs.mkdtemp, none .. "/x")
end)

case("TestErrors", "no_permission", function(dir)
  if ROOT then return end
  put(dir .. "/f", "")
  sh("chmod 000 %s/f; mkdir %s/d; chmod 555 %s/d", dir, dir, dir)
  os_error("EACCES", fs.read, dir .. "/f")
  os_error("EACCES", fs.write, dir .. "/d/f", "")
  os_error("EACCES", fs.mkdir, dir .. "/d/d")
end)

case("TestErrors", "a_write_that_fails_leaves_nothing", function(dir)
  local path = put(dir .. "/f", "old")
  put(dir .. "/script.lua", ([[
    local aio = require "aio"
    aio.run(function()
      local ok, err = pcall(aio.fs.write, %q, ("x"):rep(100000))
      print(ok, err.code)
    end)]]):format(path))
  local command = env.command(env.quote(dir .. "/script.lua"))
  local small <close> = aio.create_subprocess_shell(
    "ulimit -f 1; trap '' XFSZ; exec env " .. command, { stdout = aio.PIPE })
  lu.assertEquals(small:communicate(), "false\tEFBIG\n")
  lu.assertEquals(get(path), "old")
  lu.assertEquals(#fs.scandir(dir), 2)
end)

function T.TestErrors.test_wrong_arguments()
  local bad = {
    { "#1 to 'stat' %(string expected", fs.stat },
    { "#1 to 'stat' %(a path without zero bytes", fs.stat, "a\0b" },
    { "#2 to 'rename' %(a path without zero", fs.rename, "a", "b\0" },
    { "#1 to 'read' %(a path without zero", fs.read, "a\0b" },
    { "#1 to 'read' %(path expected, got table", fs.read, {} },
    { "#1 to 'write' %(path expected", fs.write, nil, "x" },
    { "#2 to 'write' %(string, number or list", fs.write, "x" },
    { "#2 to 'write' %(strings and numbers", fs.write, "x", { "a", {} } },
    { "#3 to 'write' %(unknown option", fs.write, "x", "", { atomic = true } },
    { "#3 to 'write' %(option 'mode': permissions", fs.write, "x", "", { mode = "rw" } },
    { "#2 to 'mkdir' %(option 'mode': permissions", fs.mkdir, "x", { mode = 99999 } },
    { "#2 to 'mkdir' %(option 'mode': the number 755 is octal 1363; write \"755\"", fs.mkdir, "x",
      { mode = 755 } },
    { "#2 to 'chmod' %(the number 644 is octal 1204; write \"644\"", fs.chmod, "x", 644 },
    { "#1 to 'mkdir' %(a path without zero", fs.mkdir, "x\0" },
    { "#2 to 'chmod' %(permissions", fs.chmod, "x" },
    { "#2 to 'chmod' %(permissions", fs.chmod, "x", "9" },
    { "#2 to 'chown' %(number expected", fs.chown, "x", "root" },
    { "#2 to 'utime' %(number expected", fs.utime, "x", "now" },
    { "#2 to 'remove' %(unknown option", fs.remove, "x", { all = true } },
    { "#1 to 'remove' %(path expected", fs.remove },
    { "#1 to 'symlink' %(path expected", fs.symlink },
    { "#2 to 'copyfile' %(path expected", fs.copyfile, "x" },
    { "#1 to 'walk' %(path expected", fs.walk },
    { "#2 to 'walk' %(unknown option", fs.walk, "x", { depth = 1 } },
    { "#1 to 'mkdtemp' %(path expected", fs.mkdtemp, {} },
  }
  aio.run(function()
    for _, row in ipairs(bad) do
      local ok, err = pcall(table.unpack(row, 2))
      lu.assertFalse(ok)
      lu.assertStrMatches(err, ".*bad argument " .. row[1]:gsub("to '", "to '[%%a.]*") .. ".*")
    end
    local _, err = pcall(function() fs.stat() end)
    lu.assertStrContains(err, "test_fs.lua:")
  end)
end

function T.TestErrors.test_outside_a_task()
  lu.assertTrue(aio.is(select(2, pcall(fs.stat, ".")), aio.RuntimeError))
end

-- ---- cancellation ----

case("TestCancel", "before_it_begins_nothing_happens", function(dir)
  local task = aio.create_task(function()
    aio.current_task():cancel()
    fs.mkdir(dir .. "/d")
  end)
  raised(aio.CancelledError, task.await, task)
  lu.assertEquals(fs.scandir(dir), {})
end)

case("TestCancel", "while_it_runs", function(dir)
  put(dir .. "/f", ("x"):rep(1000000))
  for turns = 0, 3 do
    local tasks = {}
    for i = 1, 20 do tasks[i] = aio.create_task(fs.read, dir .. "/f") end
    for i = 1, 20 do tasks[20 + i] = aio.create_task(fs.write, dir .. "/g", "y") end
    for _ = 1, turns do aio.sleep(0) end
    for _, task in ipairs(tasks) do task:cancel() end
    aio.wait(tasks)
  end
  lu.assertTrue(#fs.scandir(dir) >= 1)
  lu.assertTrue(#fs.read(dir .. "/f") == 1000000)
end)

-- Its jobs live on, without Lua; the driver looks for what they leave.
function T.TestCancel.test_loop_closes_meanwhile()
  folder.with(function(dir)
    put(dir .. "/f", ("x"):rep(1000000))
    for _ = 1, 10 do
      local loop = aio.new_event_loop()
      loop:set_exception_handler(function() end) -- of pending tasks
      for _ = 1, 10 do loop:create_task(fs.read, dir .. "/f") end
      loop:call_soon(loop.stop, loop)
      loop:run_forever()
      loop:close()
    end
  end)
end

-- The virtual clock stands still while a job is under way.
function T.TestCancel.test_virtual_clock()
  local testing = require "aio.testing"
  testing.run(function()
    local loop = aio.get_running_loop()
    aio.timeout(0.001, function()
      for _ = 1, 50 do fs.stat(".") end
    end)
    lu.assertEquals(loop:time(), 0)
  end)
end

return T
