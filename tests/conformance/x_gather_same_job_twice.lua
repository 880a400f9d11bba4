-- x_gather_same_job_twice: the same task given twice is one job with two places
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local runs = 0

local function work()
  runs = runs + 1
  aio.sleep(0)
  return "once"
end

aio.run(function()
  local t = aio.create_task(work)
  say(aio.gather { t, t, work }, "runs", runs)
end)
