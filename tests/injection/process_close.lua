-- SPDX-License-Identifier: MIT
-- Memory fails while processes are refused, killed and left.
local aio = require "aio"

aio.run(function()
  local ok, err = aio.catch(aio.OSError, aio.create_subprocess_exec, "/no/such", { cwd = "/" })
  assert(not ok and err.code == "ENOENT")
  do
    local p <close> = aio.create_subprocess_exec("sleep", 60, { stdout = aio.PIPE })
    local waiter = aio.create_task(p.wait, p)
    aio.sleep(0)
    waiter:cancel()
    aio.catch(aio.CancelledError, waiter.await, waiter)
  end
  aio.create_subprocess_exec("sleep", 60)
end)
