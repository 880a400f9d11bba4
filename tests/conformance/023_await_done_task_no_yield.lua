-- 023_await_done_task_no_yield: awaiting a finished task or future does not yield to others
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick()
  return 1
end

aio.run(function()
  local t = aio.create_task(quick)
  t:await()
  aio.create_task(say, "other ran")
  t:await()
  t:await()
  say("main did not yield")
  aio.sleep(0)
  say("end")
end)
