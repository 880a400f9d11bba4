-- SPDX-License-Identifier: MIT
-- Memory fails in streams over pipes and files.
local aio = require "aio"

aio.run(function()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  local _ <close> = aio.defer(os.remove, path)
  local both <close> = assert(io.open(path, "r+"))
  local r <close> = assert(io.open(path, "r"))
  local from <close> = aio.connect_pipe(r)
  local to <close> = aio.connect_pipe(both)
  local long = ("x"):rep(70000)
  aio.gather(function() to:write("line\n", long) end, function()
    assert(from:readline() == "line\n")
    assert(from:readexactly(70000) == long)
  end)
end)
