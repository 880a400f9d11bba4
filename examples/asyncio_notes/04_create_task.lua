-- At the same time: create_task starts both, and the longer one decides: 2 seconds.
local aio = require "aio"

local function say_after(delay, what)
  aio.sleep(delay)
  print(what)
end

local function main()
  local task1 = aio.create_task(say_after, 1, "hello")
  local task2 = aio.create_task(say_after, 2, "world")
  print("started at " .. os.date("%X"))
  task1:await()
  task2:await()
  print("finished at " .. os.date("%X"))
end

aio.run(main)

-- prints:
-- started at 19:45:22
-- hello
-- world
-- finished at 19:45:24
