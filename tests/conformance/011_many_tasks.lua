-- 011_many_tasks: two thousand tasks finish and keep result order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function square(i)
  aio.sleep(0)
  return i * i
end

aio.run(function()
  local tasks = {}
  for i = 0, 1999 do
    tasks[#tasks + 1] = aio.create_task(square, i)
  end
  local squares = aio.gather(tasks)
  local sum = 0
  for _, v in ipairs(squares) do
    sum = sum + v
  end
  say(#squares, squares[1], squares[2], squares[2000], sum)
end)
