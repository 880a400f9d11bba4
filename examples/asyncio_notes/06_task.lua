-- A task runs beside the one that made it; awaiting it gives its result.
local aio = require "aio"

local function nested()
  return 42
end

local function main()
  -- nested will run soon, at the same time as main
  local task = aio.create_task(nested)
  print("done before main waits:", task:done())

  -- the task could now be cancelled, or be awaited until it is complete
  print("result:", task:await())
  print("done after:", task:done())
end

aio.run(main)

-- prints:
-- done before main waits:	false
-- result:	42
-- done after:	true
