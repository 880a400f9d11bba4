-- SPDX-License-Identifier: MIT
-- aio.select: exactly one clause takes effect; the others are as if they had never been asked.

local aio = require "aio"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised, support.turns

local T = {}

-- ---- what can be taken at once ----

function T.test_the_first_that_is_ready_is_taken()
  aio.run(function()
    local a, b = aio.Queue(), aio.Queue()
    b:put_nowait("b")
    lu.assertEquals({ aio.select { { a, "get" }, { b, "get" } } }, { 2, "b" })
    a:put_nowait("a")
    b:put_nowait("b")
    lu.assertEquals({ aio.select { { a, "get" }, { b, "get" } } }, { 1, "a" })
    lu.assertEquals(b:qsize(), 1)
  end)
end

function T.test_each_kind_at_once()
  aio.run(function()
    local queue, event, lock, semaphore = aio.Queue(1), aio.Event(), aio.Lock(), aio.Semaphore(1)
    local future = aio.Future()
    lu.assertEquals({ aio.select { { queue, "put", "x" } } }, { 1 })
    lu.assertEquals({ aio.select { { queue, "put", "y" }, { queue, "get" } } }, { 2, "x" })
    event:set()
    lu.assertEquals({ aio.select { { event } } }, { 1, true })
    lu.assertEquals({ aio.select { { event, "wait" } } }, { 1, true })
    local i, held = aio.select { { lock, "acquire" } }
    lu.assertEquals(i, 1)
    lu.assertIs(held, lock)
    lu.assertTrue(lock:locked())
    i, held = aio.select { { lock, "acquire" }, { semaphore, "acquire" } }
    lu.assertEquals(i, 2)
    lu.assertIs(held, semaphore)
    lu.assertTrue(semaphore:locked())
    future:set_result(1, nil, 3)
    lu.assertEquals(table.pack(aio.select { { future } }), { n = 4, 1, 1, nil, 3 })
    lu.assertEquals({ aio.select { { lock, "acquire" }, { sleep = 0 } } }, { 2 })
  end)
end

function T.test_needs_no_task_when_it_need_not_wait()
  local queue = aio.Queue()
  queue:put_nowait(1)
  lu.assertEquals({ aio.select { { queue, "get" } } }, { 1, 1 })
  local err = raised(aio.RuntimeError, aio.select, { { queue, "get" } })
  lu.assertStrContains(err.message, "outside a task")
end

-- ---- waiting ----

-- Starts a select, then acts, and returns what the select returned.
local function selecting(clauses, act)
  local task = aio.create_task(aio.select, clauses)
  turns(1)
  lu.assertFalse(task:done())
  act()
  return task:await()
end

function T.test_each_kind_wakes()
  aio.run(function()
    local queue, full, event = aio.Queue(), aio.Queue(1), aio.Event()
    local lock, semaphore, future = aio.Lock(), aio.Semaphore(0), aio.Future()
    full:put_nowait("full")
    lock:acquire()
    local clauses = {
      { queue, "get" }, { full, "put", "more" }, { event }, { lock, "acquire" },
      { semaphore, "acquire" }, { future }, { sleep = 3600 },
    }
    lu.assertEquals({ selecting(clauses, function() queue:put_nowait("item") end) }, { 1, "item" })
    lu.assertEquals({ selecting(clauses, function() full:get_nowait() end) }, { 2 })
    lu.assertEquals(full:get_nowait(), "more")
    full:put_nowait("full")
    lu.assertEquals({ selecting(clauses, function()
      event:set()
      event:clear()
    end) }, { 3, true })
    lu.assertEquals((selecting(clauses, function() lock:release() end)), 4)
    lu.assertTrue(lock:locked())
    lu.assertEquals((selecting(clauses, function() semaphore:release() end)), 5)
    lu.assertTrue(semaphore:locked())
    lu.assertEquals({ selecting(clauses, function() future:set_result("done") end) }, { 6, "done" })
    -- nothing is left in any line
    for _, object in ipairs { event, lock, semaphore } do
      lu.assertStrContains(tostring(object), "0 waiting")
    end
    lu.assertEquals({ queue:qsize(), full:qsize() }, { 0, 1 })
    clauses[6] = nil
    clauses[6] = { sleep = 0.001 }
    clauses[7] = nil
    lu.assertEquals({ aio.select(clauses) }, { 6 })
  end)
end

function T.test_a_task_and_its_error()
  aio.run(function()
    local queue = aio.Queue()
    local good = aio.create_task(function()
      turns(2)
      return "a", "b"
    end)
    lu.assertEquals({ aio.select { { queue, "get" }, { good, "await" } } }, { 2, "a", "b" })
    local bad = aio.create_task(function()
      turns(2)
      error("boom", 0)
    end)
    lu.assertErrorMsgContains("boom", aio.select, { { queue, "get" }, { bad } })
    local slow = aio.create_task(aio.sleep, 60)
    lu.assertEquals((aio.select { { slow }, { sleep = 0.001 } }), 2)
    lu.assertFalse(slow:done()) -- what was not chosen goes on
    slow:cancel()
    aio.wait { slow }
  end)
end

function T.test_two_are_woken_one_takes_effect()
  aio.run(function()
    local a, b = aio.Queue(), aio.Queue()
    lu.assertEquals({ selecting({ { a, "get" }, { b, "get" } }, function()
      b:put_nowait("b")
      a:put_nowait("a")
    end) }, { 2, "b" })
    lu.assertEquals({ a:qsize(), b:qsize() }, { 1, 0 })
  end)
end

function T.test_the_turn_of_a_loser_goes_to_the_next()
  aio.run(function()
    local lock, semaphore, queue = aio.Lock(), aio.Semaphore(0), aio.Queue()
    local items, full = aio.Queue(), aio.Queue(1)
    full:put_nowait("full")
    lock:acquire()
    local selection = aio.create_task(aio.select, {
      { lock, "acquire" }, { semaphore, "acquire" }, { items, "get" }, { full, "put", 1 },
      { queue, "get" },
    })
    turns(1)
    local others = {
      aio.create_task(lock.acquire, lock),
      aio.create_task(semaphore.acquire, semaphore),
      aio.create_task(items.get, items),
      aio.create_task(full.put, full, 2),
    }
    turns(1)
    queue:put_nowait("chosen")
    lock:release()
    semaphore:release()
    items:put_nowait("item")
    full:get_nowait()
    lu.assertEquals({ selection:await() }, { 5, "chosen" })
    aio.gather(others)
    lu.assertEquals(others[3]:result(), "item")
    lu.assertEquals(full:get_nowait(), 2)
    lu.assertTrue(lock:locked())
    lu.assertTrue(semaphore:locked())
  end)
end

function T.test_an_overtaken_clause_waits_on()
  aio.run(function()
    local a, b = aio.Queue(), aio.Queue()
    lu.assertEquals({ selecting({ { a, "get" }, { b, "get" } }, function()
      a:put_nowait("gone")
      a:get_nowait()
      turns(5)
      b:put_nowait("b")
    end) }, { 2, "b" })
    lu.assertEquals({ selecting({ { a, "get" }, { b, "get" } }, function()
      a:put_nowait("gone")
      a:get_nowait()
      b:put_nowait("b")
    end) }, { 2, "b" })
  end)
end

function T.test_the_same_object_twice()
  aio.run(function()
    local queue = aio.Queue(1)
    lu.assertEquals({ aio.select { { queue, "get" }, { queue, "put", 1 } } }, { 2 })
    lu.assertEquals({ selecting({ { queue, "put", 2 }, { queue, "put", 3 } }, function()
      lu.assertEquals(queue:get_nowait(), 1)
    end) }, { 1 })
    lu.assertEquals(queue:get_nowait(), 2)
  end)
end

function T.test_many_selections_share_what_comes()
  aio.run(function()
    local a, b, got = aio.Queue(), aio.Queue(), {}
    local tasks = {}
    for i = 1, 10 do
      tasks[i] = aio.create_task(function()
        local _, item = aio.select { { a, "get" }, { b, "get" } }
        got[#got + 1] = item
      end)
    end
    turns(1)
    for i = 1, 10 do (i % 3 == 0 and a or b):put_nowait(i) end
    aio.gather(tasks)
    table.sort(got)
    lu.assertEquals(got, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
  end)
end

-- ---- cancellation ----

function T.test_cancel_at_every_point()
  aio.run(function()
    for after = 0, 5 do
      local lock, queue, future = aio.Lock(), aio.Queue(), aio.Future()
      lock:acquire()
      local selection = aio.create_task(function()
        local i, result = aio.select { { lock, "acquire" }, { queue, "get" }, { future } }
        if i == 1 then lock:release() end
        if i == 2 then queue:put_nowait(result) end
      end)
      turns(1)
      lock:release()
      queue:put_nowait("item")
      turns(after)
      selection:cancel()
      aio.wait { selection }
      lu.assertEquals(queue:qsize(), 1)
      lu.assertFalse(future:cancelled()) -- it was only watched
      turns(2)
      aio.timeout(5, lock.acquire, lock)
      lu.assertStrContains(tostring(lock), "0 waiting")
    end
  end)
end

function T.test_cancelled_before_it_waits()
  aio.run(function()
    local event = aio.Event()
    local task = aio.create_task(function()
      aio.current_task():cancel()
      aio.select { { event } }
    end)
    aio.wait { task }
    lu.assertTrue(task:cancelled())
    lu.assertStrContains(tostring(event), "0 waiting")
  end)
end

function T.test_timeout()
  aio.run(function()
    local queue = aio.Queue()
    raised(aio.TimeoutError, aio.timeout, 0.001, aio.select, { { queue, "get" } })
    queue:put_nowait(1)
    lu.assertEquals(queue:qsize(), 1)
  end)
end

function T.test_a_coroutine_that_somebody_closes_leaves_its_lines()
  aio.run(function()
    local lock, queue = aio.Lock(), aio.Queue()
    lock:acquire()
    local selection = aio.create_task(aio.select, { { lock, "acquire" }, { queue, "get" } })
    turns(1)
    local other = aio.create_task(lock.acquire, lock)
    turns(1)
    coroutine.close(selection:get_coro())
    lock:release()
    lu.assertIs(other:await(), lock)
    lu.assertNotNil(selection:exception())
    queue:put_nowait("item")
    turns(3)
    lu.assertEquals(queue:qsize(), 1)
  end)
end

function T.test_a_loop_that_closes_with_a_selection()
  local loop, event, queue = aio.new_event_loop(), aio.Event(), aio.Queue()
  loop:create_task(aio.select, { { event }, { queue, "get" }, { sleep = 60 } })
  loop:run_until_complete(loop:create_task(turns, 2))
  event:set() -- woken, but it never runs
  loop:close()
  queue:put_nowait(1)
  collectgarbage()
  event:set()
  lu.assertEquals(queue:qsize(), 1)
end

function T.test_shutdown_of_a_queue()
  aio.run(function()
    local queue, event = aio.Queue(), aio.Event()
    raised(aio.QueueShutDown, selecting, { { event }, { queue, "get" } },
      function() queue:shutdown() end)
    raised(aio.QueueShutDown, aio.select, { { queue, "put", 1 } })
    lu.assertStrContains(tostring(event), "0 waiting")
  end)
end

-- ---- streams ----

function T.test_stream_read()
  aio.run(function()
    local queue = aio.Queue()
    local server <close> = aio.start_server(function(conn)
      while true do
        local data = conn:read(100)
        if not data then break end
        conn:write(data)
      end
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    lu.assertEquals({ selecting({ { queue, "get" }, { conn, "read", 100 } }, function()
      conn:write("hello")
    end) }, { 2, "hello" })
    lu.assertEquals({ selecting({ { conn, "read", 100 }, { queue, "get" } }, function()
      queue:put_nowait("item")
    end) }, { 2, "item" })
    conn:write("again") -- the stream has no reader now
    lu.assertEquals(conn:read(100), "again")
    local err = raised(aio.RuntimeError, aio.select,
      { { conn, "read", 1 }, { queue, "get" }, { conn, "read", 1 } })
    lu.assertStrContains(err.message, "reads from")
    conn:write_eof()
    lu.assertEquals(table.pack(aio.select { { conn, "read", 1 }, { queue, "get" } }),
      { n = 2, 1, nil })
    lu.assertStrContains(tostring(queue), "0 items")
  end)
end

-- ---- misuse ----

function T.test_bad_clauses()
  aio.run(function()
    local queue = aio.Queue()
    local function bad(clause, what)
      lu.assertErrorMsgContains("bad argument #1 to 'select'", function() aio.select { clause } end)
      lu.assertErrorMsgContains(what, function() aio.select { { queue, "get" }, clause } end)
    end
    lu.assertErrorMsgContains("table expected", aio.select)
    lu.assertErrorMsgContains("at least one clause expected", aio.select, {})
    bad("x", "clause 2: a table such as")
    bad(queue, "a table such as")
    bad({}, "a nil cannot be selected")
    bad({ 5, "get" }, "a number cannot be selected")
    bad({ print }, "a function cannot be selected")
    bad({ queue }, "what is to be done with the object")
    bad({ queue, "join" }, "'join' cannot be waited for with this object")
    bad({ queue, {} }, "cannot be waited for with this object")
    bad({ queue, "get", timeout = 1 }, "unknown field 'timeout'")
    bad({ sleep = "1" }, "sleep: a number of seconds expected")
    bad({ sleep = 0 / 0 }, "sleep: a number of seconds expected")
    bad({ queue, "get", sleep = 1 }, "sleep is a clause of its own")
    lu.assertErrorMsgContains("nil cannot be put", aio.select, { { queue, "put" } })
    lu.assertErrorMsgContains("Queue expected, got table", aio.select,
      { { setmetatable({}, { __select = getmetatable(queue).__select }), "get" } })
    lu.assertEquals(queue:qsize(), 0)
  end)
end

function T.test_not_itself_and_not_another_loops()
  local other_loop = aio.new_event_loop()
  local foreign = other_loop:create_future()
  aio.run(function()
    local event = aio.Event()
    local err = raised(aio.RuntimeError, aio.select, { { event }, { aio.current_task() } })
    lu.assertStrContains(err.message, "cannot wait for itself")
    err = raised(aio.RuntimeError, aio.select, { { event }, { foreign } })
    lu.assertStrContains(err.message, "another loop")
    lu.assertStrContains(tostring(event), "0 waiting")
    raised(aio.RuntimeError, aio.atomic, aio.select, { { event } })
    lu.assertStrContains(tostring(event), "0 waiting")
  end)
  other_loop:close()
end

return T
