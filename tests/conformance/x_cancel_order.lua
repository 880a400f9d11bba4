-- x_cancel_order: tasks unwind in the order in which they were cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local child = aio.async(function(n)
  local _ <close> = aio.defer(say, "unwound", n)
  aio.sleep(10)
end)

aio.run(function()
  local tasks = { child(1), child(2), child(3) }
  aio.sleep(0)
  for i = 3, 1, -1 do
    tasks[i]:cancel()
  end
  local _, errors = aio.gather(tasks, { return_exceptions = true })
  local cancelled = {}
  for i = 1, 3 do
    cancelled[i] = aio.is(errors[i], aio.CancelledError)
  end
  say(cancelled)
end)
