-- One after the other: a call that waits is a plain call, so this takes 1 + 2 = 3 seconds.
local aio = require "aio"

local function say_after(delay, what)
  aio.sleep(delay)
  print(what)
end

local function main()
  print("started at " .. os.date("%X"))
  say_after(1, "hello")
  say_after(2, "world")
  print("finished at " .. os.date("%X"))
end

aio.run(main)

-- prints:
-- started at 19:38:27
-- hello
-- world
-- finished at 19:38:30
