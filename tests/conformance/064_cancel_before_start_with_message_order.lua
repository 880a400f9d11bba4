-- 064_cancel_before_start_with_message_order: cancelled-before-start task completes on its turn, in
-- queue order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local tasks = {}
  for i = 0, 2 do
    local t = aio.create_task(say, "run", i)
    t:add_done_callback(function()
      say("done", i, "cancelled", t:cancelled())
    end)
    tasks[#tasks + 1] = t
  end
  tasks[2]:cancel()
  aio.wait(tasks)
end)
