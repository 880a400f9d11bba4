-- Maps a function over a list on all processors, while the loop goes on: on a terminal it draws a
-- bar, elsewhere nothing until the end. The function is copied into the workers with its upvalues
-- (here `limit`); results come back in order.
local aio = require "aio"

local limit = 30000
local WIDTH = 30 -- characters of the bar

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

-- A function to be called after each of `n` pieces of work: draws how many are done.
local function progress_bar(out, n)
  local done = 0
  return function()
    done = done + 1
    local full = WIDTH * done // n
    out:write(("\r[%s%s] %d of %d"):format(("#"):rep(full), (" "):rep(WIDTH - full), done, n))
    if done == n then out:write("\r\27[K") end -- it has done its work
  end
end

-- The results of fn(item) for each item, on all processors, in order.
local function parallel_map(fn, items, tell)
  local executor <close> = aio.Executor() -- as many threads as there are processors, and 4
  local jobs = {}
  for i, item in ipairs(items) do
    jobs[i] = function()
      local result = executor:submit(fn, item):await()
      if tell then tell() end
      return result
    end
  end
  return aio.gather(jobs)
end

aio.run(function()
  local out <close> = aio.stdout()
  local ranges = {}
  for from = 1, limit, 5000 do ranges[#ranges + 1] = { from, from + 4999 } end

  local results = parallel_map(longest_chain, ranges, out:isatty() and progress_bar(out, #ranges))

  local best = results[1]
  for i, result in ipairs(results) do
    out:write(("%5d to %5d: %d steps from %d\n"):format(ranges[i][1], ranges[i][2],
      result.length, result.start))
    if result.length > best.length then best = result end
  end
  out:write(("longest: %d steps from %d\n"):format(best.length, best.start))
end)
-- prints:
--     1 to  5000: 238 steps from 3711
--  5001 to 10000: 262 steps from 6171
-- 10001 to 15000: 276 steps from 13255
-- 15001 to 20000: 279 steps from 17647
-- 20001 to 25000: 282 steps from 23529
-- 25001 to 30000: 308 steps from 26623
-- longest: 308 steps from 26623
