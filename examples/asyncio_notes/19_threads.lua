-- The notes: Python has one lock, the GIL, around its interpreter, so threads that compute take
-- turns. Here each worker has a Lua state of its own and there is nothing to take turns for: two of
-- them compute at the same time, and a third one that blocks holds nobody up.
local aio = require "aio"

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local function blocks()
  os.execute "sleep 0.05" -- in the loop's own thread, everything would stand still
  return "slept"
end

aio.run(function()
  local ticks = 0
  local clock = aio.create_task(function()
    while true do
      aio.sleep(0.005)
      ticks = ticks + 1
    end
  end)

  -- in Python: asyncio.to_thread, and for fib a ProcessPoolExecutor
  print(aio.gather(
    function() return aio.to_thread(fib, 24) end,
    function() return aio.to_thread(fib, 25) end,
    function() return aio.to_thread(blocks) end))

  clock:cancel()
  print("the loop went on meanwhile: " .. tostring(ticks > 2))
end)
-- prints:
-- 46368	75025	slept
-- the loop went on meanwhile: true
