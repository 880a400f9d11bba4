-- 005_sleep_result: sleep returns the given result
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  say(aio.sleep(0.01, "value"))
  say(aio.sleep(0, 7))
  local t = aio.create_task(aio.sleep, 0.01, "from task")
  say(t:await())
end)
