-- x_gather_done_no_yield: a gather over finished jobs does not yield to others
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local quick = aio.async(function(n)
  return n
end)

aio.run(function()
  local a, b = quick(1), quick(2)
  aio.wait { a, b }
  aio.create_task(say, "other ran")
  say(aio.gather { a, b })
  say("main did not yield")
  aio.sleep(0)
end)
