-- 462_pipeline: three stages linked by bounded queues
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q1, q2 = aio.Queue(2), aio.Queue(2)
  local out = {}
  do
    local g <close> = aio.TaskGroup()
    g:create_task(function()
      for n = 0, 5 do
        q1:put(n)
      end
      q1:put(false)
    end)
    g:create_task(function()
      for n in q1.get, q1 do
        if not n then
          break
        end
        q2:put(n * n)
      end
      q2:put(false)
    end)
    g:create_task(function()
      for n in q2.get, q2 do
        if not n then
          break
        end
        table.insert(out, n)
      end
    end)
  end
  say(out)
end)
