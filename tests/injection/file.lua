-- SPDX-License-Identifier: MIT
-- Memory fails in open files: reading, writing, positions, two tasks at one file.
local aio = require "aio"

aio.run(function()
  local path = os.tmpname()
  local _ <close> = aio.defer(os.remove, path)
  local f <close> = aio.open(path, "w+")
  f:write(("x"):rep(100), 1, 2.5, "\n")
  f:write(("y"):rep(100000), "\n"):sync()
  f:seek("set")
  assert(#f:read("l") == 104)
  assert(#f:read(10, "L") == 10)
  f:seek("set")
  local n = 0
  for line in f:lines() do n = n + #line end
  assert(n == 100104)
  assert(f:pread(3, 0) == "xxx")
  f:pwrite("12 ", 0):truncate(50)
  f:seek("set")
  local a, b = aio.create_task(f.read, f, "n"), aio.create_task(f.read, f, "a")
  aio.wait { a, b }
  assert(f:stat().size == 50)
  a:result()
  b:result()
  f:setvbuf "no"
  local task = aio.create_task(f.write, f, "more")
  aio.sleep(0)
  task:cancel()
  aio.wait { task }
end)
