-- When a job of a gather fails, its error is raised at once and the others go on. With
-- return_exceptions errors are results like any other, in a list of their own.
local aio = require "aio"

local function work(name, delay)
  aio.sleep(delay)
  if name == "bad" then error("it broke", 0) end
  print(name .. " is done")
  return name
end

local function main()
  local good = aio.create_task(work, "good", 0.5)
  local ok, err = aio.pcall(aio.gather, aio.create_task(work, "bad", 0), good)
  print(ok, err)
  print("good goes on:", not good:done())
  good:await()

  local jobs = { aio.create_task(work, "first", 0), aio.create_task(work, "bad", 0) }
  local results, errors = aio.gather(jobs, { return_exceptions = true })
  for i = 1, results.n do print(i, results[i], errors[i]) end

  -- cancelling the gather cancels what it waits for
  local child = aio.create_task(work, "child", 60)
  local waiting = aio.create_task(aio.gather, { child })
  aio.sleep(0)
  waiting:cancel()
  aio.wait({ waiting })
  print("cancelled:", waiting:cancelled(), child:cancelled())
end

aio.run(main)

-- prints:
-- false	it broke
-- good goes on:	true
-- good is done
-- first is done
-- 1	first	nil
-- 2	nil	it broke
-- cancelled:	true	true
