-- shield protects what it is given: cancelling the one who waits does not cancel the work.
local aio = require "aio"

local function save()
  aio.sleep(0.5)
  print("saved")
  return "42 bytes"
end

local function main()
  local saving = aio.create_task(save)
  local waiting = aio.create_task(function() return aio.shield(saving):await() end)
  aio.sleep(0) -- now it waits
  waiting:cancel()
  local ok, err = aio.catch(aio.CancelledError, waiting.await, waiting)
  print("who waited:", ok, err.name)
  print("the work:", saving:await())
end

aio.run(main)

-- prints:
-- who waited:	false	CancelledError
-- saved
-- the work:	42 bytes
