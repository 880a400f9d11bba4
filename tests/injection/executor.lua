-- SPDX-License-Identifier: MIT
-- Calls in worker threads, with results, errors and cancellation; and a call into our own loop.
local aio = require "aio"

aio.run(function()
  local executor <close> = aio.Executor { max_workers = 1 }
  assert(executor:submit(function(t) return t end, { 1 }):await()[1] == 1)
  local ok, err = pcall(function() executor:submit(error, aio.LookupError "x"):await() end)
  assert(not ok and (aio.is(err, aio.LookupError) or tostring(err):find "memory"), err)
  local slow = executor:submit(aio.sleep, 3600)
  slow:cancel()
  local loop = aio.get_running_loop()
  assert(aio.run_coroutine_threadsafe(function(x) return x + 1 end, loop, 1):await() == 2)
end)
print "called"
