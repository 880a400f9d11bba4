-- SPDX-License-Identifier: MIT
-- Memory fails at both ends of a FIFO.
local aio = require "aio"

aio.run(function()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  local _ <close> = aio.defer(os.remove, path)
  local r <close> = aio.open(path)
  local w <close> = aio.open(path, "w")
  local reader = aio.create_task(r.read, r, "l", "a")
  w:write("one\n"):flush()
  aio.sleep(0)
  w:write(("x"):rep(100000))
  w:close()
  local line, rest = reader:await()
  assert(line == "one" and #rest == 100000)
end)
