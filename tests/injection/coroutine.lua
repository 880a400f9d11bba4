-- SPDX-License-Identifier: MIT
-- Memory fails in coroutines whose waits pass through: only the task that met it fails.
local aio = require "aio"

local co = aio.coroutine

local function numbers(n)
  return co.wrap(function()
    for i = 1, n do
      aio.sleep(0)
      co.yield(i)
    end
  end)
end

local function sum()
  local total = 0
  local inner = co.create(function()
    for i in numbers(3) do total = total + i end
    aio.sleep(0.01)
    return total
  end)
  local ok, result = co.resume(inner)
  if not ok then error(result, 0) end
  return result
end

aio.run(function()
  local a, b = aio.create_task(sum), aio.create_task(sum)
  local ok, first = pcall(a.await, a)
  local good, second = pcall(b.await, b)
  assert(not ok or first == 6)
  assert(not good or second == 6)
  if not ok then error(first, 0) end
  if not good then error(second, 0) end
end)
