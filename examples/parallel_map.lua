-- Maps a function over a list on all processors, while the loop goes on. The function is copied
-- into the workers with its upvalues (here `limit`); results come back in order.
local aio = require "aio"

local limit = 30000

-- The length of the longest Collatz chain that begins between two numbers, and where it begins.
local function longest_chain(range)
  local best, start = 0, 0
  for n = range[1], math.min(range[2], limit) do
    local length, x = 1, n
    while x ~= 1 do
      x = x % 2 == 0 and x // 2 or 3 * x + 1
      length = length + 1
    end
    if length > best then best, start = length, n end
  end
  return { length = best, start = start }
end

aio.run(function()
  local ranges = {}
  for from = 1, limit, 5000 do ranges[#ranges + 1] = { from, from + 4999 } end

  local executor <close> = aio.Executor() -- as many threads as there are processors, and 4
  local results = executor:map(longest_chain, ranges)

  local best = results[1]
  for i, result in ipairs(results) do
    print(("%5d to %5d: %d steps from %d"):format(ranges[i][1], ranges[i][2], result.length,
      result.start))
    if result.length > best.length then best = result end
  end
  print(("longest: %d steps from %d"):format(best.length, best.start))
end)
-- prints:
--     1 to  5000: 238 steps from 3711
--  5001 to 10000: 262 steps from 6171
-- 10001 to 15000: 276 steps from 13255
-- 15001 to 20000: 279 steps from 17647
-- 20001 to 25000: 282 steps from 23529
-- 25001 to 30000: 308 steps from 26623
-- longest: 308 steps from 26623
