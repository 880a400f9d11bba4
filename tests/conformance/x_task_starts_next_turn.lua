-- x_task_starts_next_turn: a new task starts on the next turn, in order of creation
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  for i = 1, 3 do
    aio.create_task(say, "child", i)
  end
  say("created")
  aio.sleep(0)
  say("main again")
end)
