-- SPDX-License-Identifier: MIT
-- Memory fails in the calls of aio.fs, in whole files and in what combines several.
local aio = require "aio"
local fs = aio.fs

aio.run(function()
  local dir = fs.mkdtemp()
  local _ <close> = aio.defer(os.execute, "rm -rf " .. dir)
  fs.mkdir(dir .. "/a/b", { parents = true })
  fs.write(dir .. "/a/f", { ("x"):rep(1000), 1 })
  assert(#fs.read(dir .. "/a/f") == 1001)
  fs.copyfile(dir .. "/a/f", dir .. "/a/b/g")
  fs.symlink("f", dir .. "/a/link")
  assert(fs.readlink(dir .. "/a/link") == "f")
  local n = 0
  for _, _, files in fs.walk(dir, { follow = true }) do n = n + #files end
  assert(n == 3)
  assert(fs.stat(dir .. "/a/f").size == 1001)
  local ok, err = aio.catch(aio.OSError, fs.stat, dir .. "/none")
  assert(not ok and err.code == "ENOENT")
  local task = aio.create_task(fs.read, dir .. "/a/f")
  aio.sleep(0)
  task:cancel()
  aio.wait { task }
  fs.remove(dir .. "/a", { recursive = true })
end)
