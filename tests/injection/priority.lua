-- SPDX-License-Identifier: MIT
-- Memory fails inside a PriorityQueue: it keeps its items and its order.
local aio = require "aio"

aio.run(function()
  local queue = aio.PriorityQueue(8)
  local function producer()
    local _ <close> = setmetatable({}, { __close = function() queue:shutdown() end })
    for i = 1, 12 do queue:put { i * 7 % 12, i } end
  end
  local task, failure = aio.create_task(producer), nil
  local size, last
  while true do
    size = queue:qsize()
    local ok, item = aio.pcall(queue.get, queue)
    if not ok and aio.is(item, aio.QueueShutDown) then break end
    if ok then
      last = item
    else
      failure = item
      if aio.is(item, aio.RuntimeError) then break end -- the producer never came to be
      assert(queue:qsize() >= size, "a failed get took an item")
    end
  end
  assert(last or failure)
  if failure then error(failure, 0) end
  task:await()
end)
