-- SPDX-License-Identifier: MIT
-- Queue, LifoQueue, PriorityQueue: order, bounds, cancellation at every point, shutdown, misuse.

local aio = require "aio"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised, support.turns

local T = {}

local classes = { "Queue", "LifoQueue", "PriorityQueue" }

local function drain(queue)
  local got = {}
  while not queue:empty() do got[#got + 1] = queue:get_nowait() end
  return got
end

-- ---- order and sizes ----

function T.test_fifo()
  local queue = aio.Queue()
  for i = 1, 100 do queue:put_nowait(i) end
  lu.assertEquals(queue:qsize(), 100)
  for i = 1, 100 do lu.assertEquals(queue:get_nowait(), i) end
  lu.assertTrue(queue:empty())
end

function T.test_fifo_around_the_ring()
  local queue, next_in, next_out = aio.Queue(), 0, 0
  for round = 1, 40 do
    for _ = 1, round do
      next_in = next_in + 1
      queue:put_nowait(next_in)
    end
    for _ = 1, round - 1 do
      next_out = next_out + 1
      lu.assertEquals(queue:get_nowait(), next_out)
    end
  end
  lu.assertEquals(queue:qsize(), 40)
  for i = next_out + 1, next_in do lu.assertEquals(queue:get_nowait(), i) end
end

function T.test_lifo()
  local queue = aio.LifoQueue(20)
  for i = 1, 20 do queue:put_nowait(i) end
  lu.assertTrue(queue:full())
  for i = 20, 11, -1 do lu.assertEquals(queue:get_nowait(), i) end
  queue:put_nowait("x")
  lu.assertEquals(queue:get_nowait(), "x")
  lu.assertEquals(queue:get_nowait(), 10)
end

function T.test_flood_and_after()
  local queue = aio.Queue()
  for i = 1, 5000 do queue:put_nowait(i) end
  for i = 1, 5000 do lu.assertEquals(queue:get_nowait(), i) end
  for i = 1, 3 do queue:put_nowait(-i) end
  lu.assertEquals(drain(queue), { -1, -2, -3 })
end

function T.test_fields_and_sizes()
  for _, class in ipairs(classes) do
    local queue = aio[class](2)
    lu.assertEquals(queue.maxsize, 2)
    lu.assertEquals({ queue:empty(), queue:full(), queue:qsize() }, { true, false, 0 })
    queue:put_nowait(1)
    queue:put_nowait(2)
    lu.assertEquals({ queue:empty(), queue:full(), queue:qsize() }, { false, true, 2 })
    raised(aio.QueueFull, queue.put_nowait, queue, 3)
    lu.assertEquals(queue:qsize(), 2)
    drain(queue)
    raised(aio.QueueEmpty, queue.get_nowait, queue)
    lu.assertEquals(aio[class]().maxsize, 0)
    lu.assertFalse(aio[class](-1):full())
    lu.assertStrContains(tostring(queue), class .. ": ")
    lu.assertStrContains(tostring(queue), "(0 items)")
  end
end

function T.test_items_are_let_go()
  for _, class in ipairs { "Queue", "LifoQueue" } do
    local queue = aio[class]()
    local weak = setmetatable({}, { __mode = "v" })
    weak[1] = {}
    queue:put_nowait(weak[1])
    queue:get_nowait()
    collectgarbage()
    lu.assertNil(weak[1])
  end
end

function T.test_false_can_be_put_nil_cannot()
  aio.run(function()
    local queue = aio.Queue()
    queue:put(false)
    lu.assertIs(queue:get(), false)
    lu.assertErrorMsgContains("bad argument #1 to 'put' (nil cannot be put",
      function() queue:put(nil) end)
    lu.assertErrorMsgContains("nil cannot be put", function() queue:put() end)
    lu.assertErrorMsgContains("bad argument #1 to 'put_nowait'",
      function() queue:put_nowait(nil) end)
    lu.assertEquals(select("#", queue:put(1)), 0)
  end)
end

-- ---- waiting ----

function T.test_producer_and_consumer()
  aio.run(function()
    for _, bound in ipairs { 0, 1, 2, 7 } do
      local queue, got = aio.Queue(bound), {}
      local producer = aio.create_task(function()
        for i = 1, 50 do queue:put(i) end
        queue:put(false)
      end)
      for item in function() return queue:get() or nil end do got[#got + 1] = item end
      producer:await()
      lu.assertEquals(#got, 50)
      for i = 1, 50 do lu.assertEquals(got[i], i) end
    end
  end)
end

function T.test_who_need_not_wait_does_not_give_way()
  aio.run(function()
    local queue, other = aio.Queue(), false
    aio.create_task(function() other = true end)
    queue:put(1)
    queue:get()
    lu.assertFalse(other)
  end)
end

function T.test_getters_are_served_in_order()
  aio.run(function()
    local queue, got = aio.Queue(), {}
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = aio.create_task(function() got[i] = queue:get() end)
    end
    turns(1)
    for _, item in ipairs { "a", "b", "c" } do queue:put_nowait(item) end
    lu.assertEquals(queue:qsize(), 3)
    aio.gather(tasks)
    lu.assertEquals(got, { "a", "b", "c" })
  end)
end

function T.test_an_overtaken_getter_waits_again()
  aio.run(function()
    local queue = aio.Queue()
    local task = aio.create_task(queue.get, queue)
    turns(1)
    queue:put_nowait("first")
    lu.assertEquals(queue:get_nowait(), "first")
    turns(2)
    lu.assertFalse(task:done())
    queue:put_nowait("second")
    lu.assertEquals(task:await(), "second")
  end)
end

-- ---- cancellation ----

-- Three getters, some of them cancelled, and `puts` items: no item is lost, and no getter sleeps
-- beside an item.
local function cancel_getters(puts, happen)
  local queue, got = aio.Queue(), {}
  local tasks = {}
  for i = 1, 3 do
    tasks[i] = aio.create_task(function()
      local item = queue:get()
      got[#got + 1] = item
    end)
  end
  turns(1)
  happen(tasks, function()
    for i = 1, puts do queue:put_nowait(i) end
  end)
  turns(5)
  local waiting = 0
  for i = 1, 3 do
    if not tasks[i]:done() then waiting = waiting + 1 end
  end
  lu.assertTrue(waiting == 0 or queue:empty(), "a getter sleeps beside an item")
  for _, item in ipairs(drain(queue)) do got[#got + 1] = item end
  for i = 1, puts do lu.assertEquals(got[i], i) end
  lu.assertEquals(#got, puts)
  for _, task in ipairs(tasks) do task:cancel() end
  aio.wait(tasks)
end

function T.test_cancel_getters_at_every_point()
  aio.run(support.cancel_at_every_point, 4, 2, cancel_getters)
end

-- The same with three putters on a full queue, of which `gets` items are taken.
local function cancel_putters(gets, happen)
  local queue, got = aio.Queue(2), {}
  queue:put_nowait("x")
  queue:put_nowait("y")
  local tasks, done = {}, 0
  for i = 1, 3 do
    tasks[i] = aio.create_task(function()
      queue:put(i)
      done = done + 1
    end)
  end
  turns(1)
  happen(tasks, function()
    for _ = 1, gets do got[#got + 1] = queue:get_nowait() end
  end)
  turns(5)
  local waiting = 0
  for i = 1, 3 do
    if not tasks[i]:done() then waiting = waiting + 1 end
  end
  lu.assertTrue(waiting == 0 or queue:full(), "a putter sleeps beside a place")
  lu.assertEquals(queue:qsize(), 2 - gets + done)
  for _, task in ipairs(tasks) do task:cancel() end
  aio.wait(tasks)
end

function T.test_cancel_putters_at_every_point()
  aio.run(support.cancel_at_every_point, 2, 2, cancel_putters)
end

function T.test_timeout_takes_nothing()
  aio.run(function()
    local queue = aio.Queue(1)
    raised(aio.TimeoutError, aio.timeout, 0.001, queue.get, queue)
    queue:put_nowait(1)
    raised(aio.TimeoutError, aio.timeout, 0.001, queue.put, queue, 2)
    lu.assertEquals(drain(queue), { 1 })
  end)
end

function T.test_a_coroutine_that_somebody_closes_hands_its_turn_on()
  aio.run(function()
    local queue = aio.Queue(1)
    local a, b = aio.create_task(queue.get, queue), aio.create_task(queue.get, queue)
    turns(1)
    queue:put_nowait("item")
    coroutine.close(a:get_coro())
    lu.assertEquals(b:await(), "item")
    lu.assertNotNil(a:exception())
    queue:put_nowait("full")
    local c, d = aio.create_task(queue.put, queue, "c"), aio.create_task(queue.put, queue, "d")
    turns(1)
    lu.assertEquals(queue:get_nowait(), "full")
    coroutine.close(c:get_coro())
    d:await()
    lu.assertNotNil(c:exception())
    lu.assertEquals(drain(queue), { "d" })
  end)
end

-- ---- task_done, join ----

function T.test_join()
  aio.run(function()
    local queue = aio.Queue()
    queue:join() -- nothing is unfinished
    for i = 1, 3 do queue:put_nowait(i) end
    local joined = aio.create_task(queue.join, queue)
    local cancelled = aio.create_task(queue.join, queue)
    turns(1)
    cancelled:cancel()
    for _ = 1, 3 do
      turns(1)
      lu.assertFalse(joined:done())
      queue:get()
      queue:task_done()
    end
    joined:await()
    lu.assertTrue(cancelled:cancelled())
    local err = raised(aio.RuntimeError, function() queue:task_done() end)
    lu.assertStrContains(err.message, "more often")
    lu.assertStrContains(err.where, "test_queue.lua")
  end)
end

-- ---- shutdown, items ----

function T.test_shutdown()
  aio.run(function()
    for _, class in ipairs(classes) do
      local queue = aio[class](2)
      queue:put_nowait(1)
      queue:put_nowait(2)
      local putter = aio.create_task(queue.put, queue, 3)
      turns(1)
      queue:shutdown()
      aio.wait { putter }
      lu.assertTrue(aio.is(putter:exception(), aio.QueueShutDown))
      raised(aio.QueueShutDown, queue.put, queue, 4)
      raised(aio.QueueShutDown, queue.put_nowait, queue, 4)
      lu.assertEquals(queue:get() + queue:get_nowait(), 3)
      raised(aio.QueueShutDown, queue.get, queue)
      raised(aio.QueueShutDown, queue.get_nowait, queue)
      queue:shutdown() -- may be repeated
    end
  end)
end

function T.test_shutdown_wakes_getters()
  aio.run(function()
    local queue = aio.Queue()
    local a, b = aio.create_task(queue.get, queue), aio.create_task(queue.get, queue)
    turns(1)
    queue:put_nowait("item")
    queue:shutdown()
    aio.wait { a, b }
    lu.assertEquals(a:result(), "item")
    lu.assertTrue(aio.is(b:exception(), aio.QueueShutDown))
  end)
end

function T.test_shutdown_at_once()
  aio.run(function()
    for _, class in ipairs(classes) do
      local queue = aio[class]()
      for i = 1, 3 do queue:put_nowait(i) end
      queue:get()
      local joined = aio.create_task(queue.join, queue)
      turns(1)
      queue:shutdown(true)
      lu.assertTrue(queue:empty())
      turns(1)
      lu.assertFalse(joined:done()) -- one item is under way
      queue:task_done()
      joined:await()
      raised(aio.QueueShutDown, queue.get, queue)
    end
  end)
end

function T.test_items()
  aio.run(function()
    local queue, got = aio.Queue(2), {}
    local producer = aio.create_task(function()
      for i = 1, 5 do queue:put(i) end
      queue:shutdown()
    end)
    for item in queue:items() do
      got[#got + 1] = item
      queue:task_done()
    end
    lu.assertEquals(got, { 1, 2, 3, 4, 5 })
    producer:await()
    queue:join()
    for _ in queue:items() do lu.fail("an item of nowhere") end
    local idle = aio.Queue()
    local reader = aio.create_task(function()
      for _ in idle:items() do lu.fail("an item of nowhere") end
      return "ended"
    end)
    turns(1)
    idle:shutdown()
    lu.assertEquals(reader:await(), "ended")
  end)
end

-- ---- PriorityQueue ----

function T.test_priority_order()
  local queue = aio.PriorityQueue()
  local items = { 5, 3, 9, 1, 7, 3, 8, 2, 6, 4, 3, 0 }
  for _, item in ipairs(items) do queue:put_nowait(item) end
  table.sort(items)
  lu.assertEquals(drain(queue), items)
  for _, word in ipairs { "pear", "apple", "fig" } do queue:put_nowait(word) end
  lu.assertEquals(drain(queue), { "apple", "fig", "pear" })
end

function T.test_priority_against_a_sorted_list()
  local seed = 12345
  local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n
  end
  local queue, list, arrival = aio.PriorityQueue(), {}, 0
  for _ = 1, 2000 do
    if random(5) < 3 then
      arrival = arrival + 1
      local item = { random(20), arrival }
      queue:put_nowait(item)
      local at = #list + 1
      while at > 1 and item[1] < list[at - 1][1] do at = at - 1 end
      table.insert(list, at, item)
    elseif #list > 0 then
      lu.assertIs(queue:get_nowait(), table.remove(list, 1))
    end
    lu.assertEquals(queue:qsize(), #list)
  end
  lu.assertEquals(#drain(queue), #list)
end

function T.test_priority_equals_keep_their_order()
  local queue = aio.PriorityQueue(0, { compare = function(a, b) return a.rank < b.rank end })
  for i = 1, 30 do queue:put_nowait { rank = i % 3, i = i } end
  local last = { rank = -1, i = 0 }
  for _, item in ipairs(drain(queue)) do
    lu.assertTrue(item.rank > last.rank or item.i > last.i)
    last = item
  end
end

function T.test_priority_compare_without_a_size()
  local queue = aio.PriorityQueue { compare = function(a, b) return a > b end }
  for i = 1, 5 do queue:put_nowait(i) end
  lu.assertEquals(drain(queue), { 5, 4, 3, 2, 1 })
  lu.assertEquals(queue.maxsize, 0)
end

function T.test_priority_a_compare_that_raises_changes_nothing()
  local fuse = math.huge
  local queue = aio.PriorityQueue(0, { compare = function(a, b)
    fuse = fuse - 1
    if fuse < 0 then error("boom", 0) end
    return a < b
  end })
  for _, item in ipairs { 8, 6, 7, 5, 3, 0, 9 } do queue:put_nowait(item) end
  for n = 0, 4 do
    fuse = n
    local put = pcall(queue.put_nowait, queue, 1)
    fuse = n
    local got, item = pcall(queue.get_nowait, queue)
    fuse = math.huge
    lu.assertEquals(queue:qsize(), 7 + (put and 1 or 0) - (got and 1 or 0))
    if put and not (got and item == 1) then
      -- take it out again
      local rest = drain(queue)
      for _, value in ipairs(rest) do
        if value ~= 1 then queue:put_nowait(value) end
      end
    end
    if got and item ~= 1 then queue:put_nowait(item) end
  end
  lu.assertEquals(drain(queue), { 0, 3, 5, 6, 7, 8, 9 })
end

function T.test_priority_a_compare_that_raises_passes_the_turn_on()
  aio.run(function()
    local broken = false
    local queue = aio.PriorityQueue(0, { compare = function(a, b)
      if broken then error("boom", 0) end
      return a < b
    end })
    local a, b = aio.create_task(queue.get, queue), aio.create_task(queue.get, queue)
    turns(1)
    for i = 1, 4 do queue:put_nowait(i) end
    broken = true
    aio.wait { a, b }
    lu.assertEquals({ a:exception(), b:exception() }, { "boom", "boom" })
    broken = false
    lu.assertEquals(drain(queue), { 1, 2, 3, 4 })
  end)
end

function T.test_priority_compare_cannot_wait_or_use_the_queue()
  aio.run(function()
    local act
    local queue = aio.PriorityQueue(0, { compare = function(a, b)
      act()
      return a < b
    end })
    queue:put(1)
    act = function() aio.sleep(0) end
    local err = raised(aio.RuntimeError, queue.put, queue, 2)
    lu.assertStrContains(err.message, "aio.atomic")
    for _, use in ipairs { "get_nowait", "put_nowait", "shutdown" } do
      act = function() queue[use](queue, true) end
      err = raised(aio.RuntimeError, queue.put, queue, 2)
      lu.assertStrContains(err.message, "compare function cannot use the queue")
    end
    lu.assertEquals(queue:qsize(), 1)
    aio.sleep(0) -- and waiting is possible again
  end)
end

function T.test_priority_items_that_cannot_be_compared()
  local queue = aio.PriorityQueue()
  queue:put_nowait(1)
  lu.assertErrorMsgContains("attempt to compare", queue.put_nowait, queue, "x")
  lu.assertErrorMsgContains("attempt to compare", queue.put_nowait, queue, { 1 })
  local ok, err = pcall(function() queue:put_nowait {} end)
  lu.assertFalse(ok)
  lu.assertStrMatches(err, ".*test_queue.lua:%d+: attempt to compare .*")
  lu.assertEquals(drain(queue), { 1 })
  local ordered = setmetatable({}, { __lt = function() return true end })
  queue:put_nowait(ordered)
  queue:put_nowait(setmetatable({}, getmetatable(ordered)))
  lu.assertEquals(queue:qsize(), 2)
end

-- ---- misuse ----

function T.test_bad_arguments()
  lu.assertErrorMsgContains("bad argument #1 to 'Queue' (number expected, got string)",
    function() aio.Queue("x") end)
  lu.assertErrorMsgContains("no integer representation", aio.LifoQueue, 1.5)
  lu.assertErrorMsgContains("argument #2 to 'Queue' (unknown option 'compare' (there is: none))",
    function() aio.Queue(1, { compare = print }) end)
  lu.assertErrorMsgContains("unknown option 'order' (there is: compare)",
    aio.PriorityQueue, 1, { order = print })
  lu.assertErrorMsgContains("option 'compare': function expected, got number",
    aio.PriorityQueue, { compare = 1 })
  local queue = aio.Queue()
  for _, name in ipairs { "put", "get", "put_nowait", "get_nowait", "qsize", "empty", "full",
    "task_done", "join", "shutdown", "items" } do
    lu.assertErrorMsgContains("Queue expected, got table", queue[name], {})
    lu.assertErrorMsgContains("Queue expected", queue[name], io.stdout)
  end
  lu.assertFalse(pcall(function() queue.maxsize = 3 end))
  lu.assertStrContains(raised(aio.RuntimeError, queue.get, queue).message, "outside a task")
end

function T.test_serves_one_loop()
  local queue = aio.Queue(1)
  local function get_one()
    local task = aio.create_task(queue.get, queue)
    turns(1)
    queue:put_nowait(1)
    return task:await()
  end
  lu.assertEquals(aio.run(get_one), 1)
  local err = raised(aio.RuntimeError, aio.run, get_one)
  lu.assertStrContains(err.message, "another loop")
  drain(queue)
  aio.run(function() -- what does not wait works everywhere
    queue:put(1)
    raised(aio.RuntimeError, queue.put, queue, 2)
    raised(aio.RuntimeError, queue.join, queue)
    lu.assertEquals(queue:get(), 1)
  end)
end

return T
