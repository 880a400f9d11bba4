-- SPDX-License-Identifier: MIT
-- Memory fails in debug mode and while somebody looks inside: nothing else is hurt.
local aio = require "aio"

aio.run_with({ debug = true }, function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function() end)
  local low = aio.create_task(function()
    aio.sleep(0)
    error(aio.TimeoutError("late"))
  end)
  local high = aio.create_task(function() return low:await() end)
  aio.sleep(0)
  local graph = aio.format_call_graph(low)
  local text = low:traceback()
  local ok, err = pcall(high.await, high)
  assert(not ok)
  if not aio.is(err, aio.TimeoutError) then error(err, 0) end
  assert(#graph > 0 and #text > 0)

  -- aio.catch keeps where what it lets pass was raised
  local passes = aio.create_task(aio.catch, aio.OSError, error, "plain", 0)
  aio.wait { passes }
  if passes:exception() ~= "plain" then error(passes:exception(), 0) end
  assert(passes:traceback():find "stack traceback")
end)
