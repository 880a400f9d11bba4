-- 184_executor_does_not_block_loop: the loop ticks while a worker blocks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function blocks() os.execute("sleep 0.5") end

aio.run(function()
  local ticks = 0
  local t = aio.create_task(aio.to_thread, blocks)
  while not t:done() do
    aio.sleep(0.01)
    ticks = ticks + 1
  end
  say("ticked", ticks >= 3)
end)
