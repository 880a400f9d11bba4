-- SPDX-License-Identifier: MIT
-- Memory fails while selections wait, win, lose and are cancelled; afterwards nothing is lost.
local aio = require "aio"

aio.run(function()
  local queue, lock, event = aio.Queue(), aio.Lock(), aio.Event()
  lock:acquire()
  local clauses = { { queue, "get" }, { lock, "acquire" }, { event }, { sleep = 50 } }
  local function pick()
    local i = aio.select(clauses)
    if i == 2 then lock:release() end
    return i
  end
  local tasks = {}
  for i = 1, 4 do tasks[i] = aio.create_task(pick) end
  aio.sleep(1)
  queue:put_nowait("item")
  lock:release()
  tasks[3]:cancel()
  aio.wait(tasks, { timeout = 20 })
  event:set()
  aio.wait(tasks)
  aio.timeout(5, lock.acquire, lock)
end)
