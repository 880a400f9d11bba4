-- SPDX-License-Identifier: MIT
-- Memory fails while streams are a process's input and output.
local aio = require "aio"

aio.run(function()
  local first <close> = aio.create_subprocess_exec("printf", "abc", { stdout = aio.PIPE })
  local second <close> = aio.create_subprocess_exec("cat",
    { stdin = first.stdout, stdout = aio.PIPE })
  assert(second:communicate() == "abc")
end)
