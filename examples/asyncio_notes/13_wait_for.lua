-- wait_for gives a job a time limit. When the time is up the job is cancelled and TimeoutError
-- raised; behind a shield the job goes on. Without a limit (nil) it waits as long as it takes.
local aio = require "aio"

local function work(seconds)
  aio.sleep(seconds)
  return "worked " .. seconds .. " s"
end

local function main()
  print(aio.wait_for(aio.create_task(work, 0.01), 10))
  print(aio.wait_for(aio.create_task(work, 0.02), nil))

  local slow = aio.create_task(work, 60)
  local ok, err = aio.catch(aio.TimeoutError, aio.wait_for, slow, 0.05)
  print(ok, err.name, "cancelled:", slow:cancelled())

  local kept = aio.create_task(work, 1.5)
  ok, err = aio.catch(aio.TimeoutError, aio.wait_for, aio.shield(kept), 0.05)
  print(ok, err.name, "cancelled:", kept:cancelled())
  print(kept:await())
end

aio.run(main)

-- prints:
-- worked 0.01 s
-- worked 0.02 s
-- false	TimeoutError	cancelled:	true
-- false	TimeoutError	cancelled:	false
-- worked 1.5 s
