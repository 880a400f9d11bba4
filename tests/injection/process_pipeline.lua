-- SPDX-License-Identifier: MIT
-- Memory fails while programs are joined by pipes.
local aio = require "aio"

aio.run(function()
  local codes, out, err = aio.pipeline({ { "cat" }, { "sh", "-c", "cat; echo x >&2" } },
    { input = "abc", stdout = aio.PIPE, stderr = aio.PIPE })
  assert(codes[2] == 0 and out == "abc" and err == "x\n")
end)
