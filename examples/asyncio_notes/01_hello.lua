-- The first program: `run` makes a loop, runs main on it, and closes it.
local aio = require "aio"

local function main()
  print("Hello")
  aio.sleep(1)
  print("...World!")
end

aio.run(main)

-- prints:
-- Hello
-- ...World!
