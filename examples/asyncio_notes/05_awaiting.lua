-- In Python `nested()` alone only makes a coroutine object, which never runs, and `await nested()`
-- runs it. Lua has no such object in between: a call is a call, and its value is the result.
local aio = require "aio"

local function nested()
  return 42
end

local function main()
  print(nested())
end

aio.run(main)

-- prints:
-- 42
