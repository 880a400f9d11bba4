-- A pool of threads that is fed through a channel and answers through another one. Both are
-- bounded: whoever is too fast waits. Closing the jobs ends the workers, and after the last of them
-- the results are closed.
local aio = require "aio"

local WORKERS = 3

-- Runs in a thread of its own, as a task of that thread's loop.
local function work(jobs, results)
  local done = 0
  for text in jobs:items() do
    local sum = 0
    for i = 1, #text do sum = (sum * 31 + text:byte(i)) % 1000003 end
    results:send { text = text, sum = sum }
    done = done + 1
  end
  return done
end

aio.run(function()
  local jobs, results = aio.Channel(4), aio.Channel(4)
  local pool <close> = aio.Executor { max_workers = WORKERS }
  local workers = {}
  for i = 1, WORKERS do workers[i] = pool:submit(work, jobs, results) end

  aio.create_task(function()
    for i = 1, 9 do jobs:send("job number " .. i) end
    jobs:close()
    aio.gather(workers)
    results:close()
  end)

  local sums = {} -- answers come in any order
  for result in results:items() do sums[#sums + 1] = ("%s: %6d"):format(result.text, result.sum) end
  table.sort(sums)
  print(table.concat(sums, "\n"))

  local total = 0
  for _, worker in ipairs(workers) do total = total + worker:await() end
  print("done by all workers: " .. total)
end)
-- prints:
-- job number 1:  92376
-- job number 2:  92377
-- job number 3:  92378
-- job number 4:  92379
-- job number 5:  92380
-- job number 6:  92381
-- job number 7:  92382
-- job number 8:  92383
-- job number 9:  92384
-- done by all workers: 9
