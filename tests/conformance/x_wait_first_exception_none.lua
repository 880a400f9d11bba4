-- x_wait_first_exception_none: without an error the first-error mode waits for all
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local work = aio.async(function(n)
  aio.sleep(n * 0.01)
  return n
end)

aio.run(function()
  local tasks = { work(3), work(1), work(2) }
  tasks[2]:cancel()
  local done, pending = aio.wait(tasks, { return_when = aio.FIRST_EXCEPTION })
  say("done", #done, "pending", #pending,
    { tasks[1]:cancelled(), tasks[2]:cancelled(), tasks[3]:cancelled() })
end)
