-- SPDX-License-Identifier: MIT
-- Memory fails while a folder is watched.
local aio = require "aio"

aio.run(function()
  local dir = os.tmpname()
  os.remove(dir)
  assert(os.execute("mkdir " .. dir))
  local _ <close> = aio.defer(os.execute, "rm -rf " .. dir)
  local watch <close> = aio.fs.watch(dir)
  local task = aio.create_task(function()
    for event in watch do
      if event.name == "f" then return end
    end
  end)
  aio.sleep(0)
  assert(io.open(dir .. "/f", "w")):close()
  task:await()
end)
