-- A producer and three consumers with a bounded queue between them: the producer waits when three
-- items lie there, the consumers when none does. `join` waits until every item has been dealt
-- with, `shutdown` then ends the consumers' loops.
local aio = require "aio"

local function producer(queue, count)
  for i = 1, count do
    queue:put(i)
    print("made " .. i .. ", waiting: " .. queue:qsize())
  end
end

local function consumer(queue, name)
  local items = 0
  for item in queue:items() do
    aio.sleep(0) -- here something would take its time
    print(name .. " used " .. item)
    queue:task_done()
    items = items + 1
  end
  return items
end

aio.run(function()
  local queue, names, tasks = aio.Queue(3), { "Ann", "Ben", "Cid" }, {}
  for i, name in ipairs(names) do tasks[i] = aio.create_task(consumer, queue, name) end
  producer(queue, 9)
  queue:join()
  queue:shutdown()
  for i, items in ipairs(aio.gather(tasks)) do print(names[i] .. " had " .. items) end
end)

-- prints:
-- made 1, waiting: 1
-- made 2, waiting: 2
-- made 3, waiting: 3
-- made 4, waiting: 1
-- made 5, waiting: 2
-- made 6, waiting: 3
-- Ann used 1
-- Ben used 2
-- Cid used 3
-- made 7, waiting: 1
-- made 8, waiting: 2
-- made 9, waiting: 3
-- Ann used 4
-- Ben used 5
-- Cid used 6
-- Ann used 7
-- Ben used 8
-- Cid used 9
-- Ann had 3
-- Ben had 3
-- Cid had 3
