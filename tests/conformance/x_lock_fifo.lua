-- x_lock_fifo: contenders take turns in the order in which they came
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lock = aio.Lock()
  local worker = aio.async(function(n)
    for turn = 0, 1 do
      local _ <close> = lock:acquire()
      say("worker", n, "turn", turn)
      aio.sleep(0)
    end
  end)
  aio.gather(worker(0), worker(1), worker(2), worker(3))
end)
