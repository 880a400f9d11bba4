-- create_task takes a function and its arguments. ensure_future takes any job: a function becomes
-- a task, and what can be awaited already comes back as it is.
local aio = require "aio"

local function job(x)
  return "ran with " .. tostring(x)
end

local function main()
  local task = aio.create_task(job, 1)
  local other = aio.ensure_future(job)
  print(aio.isfuture(task), aio.isfuture(other))
  print(aio.ensure_future(task) == task)
  print(task:await())
  print(other:await())
end

-- a task needs a loop that runs
local ok, err = pcall(aio.create_task, job)
print(ok, err.name)
aio.run(main)

-- prints:
-- false	RuntimeError
-- true	true
-- true
-- ran with 1
-- ran with nil
