-- A loop by hand: get_event_loop makes one when there is none, also after an aio.run;
-- run_until_complete runs one job on it. The Python original forgets the `await` before
-- `asyncio.sleep(1)`, and so never sleeps; in Lua the call itself is the wait.
local aio = require "aio"

local function hello()
  aio.sleep(1)
  print("HelloWorld!")
end

local loop = aio.get_event_loop()
loop:run_until_complete(hello)
loop:close()

-- prints:
-- HelloWorld!
