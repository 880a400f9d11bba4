-- x_readers_writer: many readers or one writer, built on a condition
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local cond = aio.Condition()
  local readers = 0
  local read = aio.async(function(n)
    cond:with(function()
      readers = readers + 1
    end)
    say("reader", n, "in, together", readers)
    aio.sleep(0.01)
    local _ <close> = cond:acquire()
    readers = readers - 1
    cond:notify_all()
  end)
  local write = aio.async(function(n)
    local _ <close> = cond:acquire()
    cond:wait_for(function()
      return readers == 0
    end)
    say("writer", n, "alone", readers)
    aio.sleep(0.005)
  end)
  aio.gather(read(1), read(2), write(1), write(2))
  read(3):await()
end)
