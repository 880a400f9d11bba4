-- x_queue_join: join waits until every item is marked done
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  q:join()
  say("joined an empty queue")
  local worker = aio.async(function(n)
    while true do
      local item = q:get()
      aio.sleep(0.002)
      say("worker", n, "item", item)
      q:task_done()
    end
  end)
  local a, b = worker(0), worker(1)
  for n = 0, 4 do
    q:put_nowait(n)
  end
  q:join()
  say("joined, left", q:qsize())
  a:cancel()
  b:cancel()
  aio.gather({ a, b }, { return_exceptions = true })
  say("workers", { a:cancelled(), b:cancelled() })
end)
