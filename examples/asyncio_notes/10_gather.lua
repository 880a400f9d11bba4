-- Three calls at the same time; gather waits for all and returns the results in their order.
local aio = require "aio"

local function factorial(name, number)
  local f = 1
  for i = 2, number do
    print(("Task %s: Compute factorial(%d)..."):format(name, i))
    aio.sleep(1)
    f = f * i
  end
  print(("Task %s: factorial(%d) = %d"):format(name, number, f))
  return f
end

local function main()
  print(aio.gather(
    aio.create_task(factorial, "A", 2),
    aio.create_task(factorial, "B", 3),
    aio.create_task(factorial, "C", 4)
  ))
end

aio.run(main)

-- prints:
-- Task A: Compute factorial(2)...
-- Task B: Compute factorial(2)...
-- Task C: Compute factorial(2)...
-- Task A: factorial(2) = 2
-- Task B: Compute factorial(3)...
-- Task C: Compute factorial(3)...
-- Task B: factorial(3) = 6
-- Task C: Compute factorial(4)...
-- Task C: factorial(4) = 24
-- 2	6	24
