-- 258_queue_cancel_getter: a cancelled consumer does not lose an item
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  local function consumer(n)
    local ok, item = aio.catch(aio.CancelledError, q.get, q)
    if ok then
      say("consumer", n, "got", item)
    else
      say("consumer", n, "cancelled")
    end
  end
  local a = aio.create_task(consumer, "a")
  local b = aio.create_task(consumer, "b")
  aio.sleep(0)
  q:put_nowait("x")
  a:cancel()
  aio.gather(a, b)
  say("left", q:qsize())
end)
