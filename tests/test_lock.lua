-- SPDX-License-Identifier: MIT
-- Lock: order, cancellation at every point, scopes, misuse.

local aio = require "aio"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised, support.turns

local T = {}

function T.test_acquire_and_release()
  aio.run(function()
    local lock = aio.Lock()
    lu.assertFalse(lock:locked())
    lu.assertIs(lock:acquire(), lock)
    lu.assertTrue(lock:locked())
    lu.assertEquals(select("#", lock:release()), 0)
    lu.assertFalse(lock:locked())
  end)
end

function T.test_first_come_first_served()
  aio.run(function()
    local lock, got = aio.Lock(), {}
    lock:acquire()
    local tasks = {}
    for i = 1, 5 do
      tasks[i] = aio.create_task(function()
        local _ <close> = lock:acquire()
        got[#got + 1] = i
        turns(i % 2)
      end)
    end
    turns(1)
    lock:release()
    aio.gather(tasks)
    lu.assertEquals(got, { 1, 2, 3, 4, 5 })
    lu.assertFalse(lock:locked())
  end)
end

function T.test_newcomers_stand_behind_the_one_whose_turn_it_is()
  aio.run(function()
    local lock, got = aio.Lock(), {}
    lock:acquire()
    local waiter = aio.create_task(function()
      local _ <close> = lock:acquire()
      got[#got + 1] = "waiter"
    end)
    turns(1)
    lock:release()
    lu.assertFalse(lock:locked())
    lock:acquire()
    got[#got + 1] = "newcomer"
    lock:release()
    waiter:await()
    lu.assertEquals(got, { "waiter", "newcomer" })
  end)
end

-- Three waiters; those in `victims` are cancelled before or after the release. Whatever happens,
-- all others get the lock, in order, and it is free in the end.
local function cancel_some(victims, before, after_turns)
  local lock, got = aio.Lock(), {}
  lock:acquire()
  local tasks = {}
  for i = 1, 3 do
    tasks[i] = aio.create_task(function()
      local _ <close> = lock:acquire()
      got[#got + 1] = i
      turns(1)
    end)
  end
  turns(1)
  local function cancel()
    for i in pairs(victims) do tasks[i]:cancel() end
  end
  if before then cancel() end
  lock:release()
  turns(after_turns)
  if not before then cancel() end
  aio.wait(tasks)
  for i = 1, 3 do
    if not victims[i] then lu.assertFalse(tasks[i]:cancelled()) end
  end
  lu.assertFalse(lock:locked())
  for i = 2, #got do lu.assertTrue(got[i] > got[i - 1]) end
  aio.timeout(5, lock.acquire, lock)
  return got
end

function T.test_cancel_at_every_point()
  aio.run(function()
    for set = 0, 7 do
      local victims = {}
      for i = 1, 3 do
        if set & (1 << (i - 1)) ~= 0 then victims[i] = true end
      end
      for after = 0, 6 do
        cancel_some(victims, true, after)
        cancel_some(victims, false, after)
      end
    end
    lu.assertEquals(cancel_some({ [2] = true }, true, 0), { 1, 3 })
    lu.assertEquals(cancel_some({ true }, false, 0), { 2, 3 })
  end)
end

function T.test_cancelled_before_it_waits()
  aio.run(function()
    local lock = aio.Lock()
    lock:acquire()
    local task = aio.create_task(function()
      aio.current_task():cancel()
      lock:acquire()
    end)
    aio.wait { task }
    lu.assertTrue(task:cancelled())
    lock:release()
    lu.assertIs(lock:acquire(), lock)
  end)
end

function T.test_timeout_leaves_the_line()
  aio.run(function()
    local lock = aio.Lock()
    lock:acquire()
    raised(aio.TimeoutError, aio.timeout, 0.001, lock.acquire, lock)
    lu.assertStrContains(tostring(lock), "locked, 0 waiting")
    lock:release()
    lu.assertFalse(lock:locked())
  end)
end

function T.test_a_coroutine_that_somebody_closes_hands_its_turn_on()
  aio.run(function()
    local lock, got = aio.Lock(), {}
    local function worker(name)
      lock:acquire()
      got[#got + 1] = name
      lock:release()
    end
    lock:acquire()
    local a, b = aio.create_task(worker, "a"), aio.create_task(worker, "b")
    turns(1)
    coroutine.close(a:get_coro()) -- stands in line
    lock:release()
    b:await()
    lu.assertEquals(got, { "b" })
    lu.assertNotNil(a:exception())

    lock:acquire()
    local c, d = aio.create_task(worker, "c"), aio.create_task(worker, "d")
    turns(1)
    lock:release()
    coroutine.close(c:get_coro()) -- has been given its turn
    d:await()
    lu.assertEquals(got, { "b", "d" })
    lu.assertNotNil(c:exception())
  end)
end

function T.test_scope_releases_on_error_and_cancel()
  aio.run(function()
    local lock = aio.Lock()
    local function fails()
      local _ <close> = lock:acquire()
      error("boom", 0)
    end
    local ok, err = pcall(fails)
    lu.assertEquals({ ok, err }, { false, "boom" })
    lu.assertFalse(lock:locked())
    local task = aio.create_task(function()
      local _ <close> = lock:acquire()
      aio.sleep(60)
    end)
    turns(1)
    lu.assertTrue(lock:locked())
    task:cancel()
    aio.wait { task }
    lu.assertFalse(lock:locked())
  end)
end

function T.test_scope_whose_hold_was_given_up()
  aio.run(function()
    local lock = aio.Lock()
    local err = raised(aio.RuntimeError, function()
      local _ <close> = lock:acquire()
      lock:release()
    end)
    lu.assertStrContains(err.message,
      "lock of this scope was not acquired; write local _ <close> = lock:acquire()")
    lu.assertStrContains(err.where, "test_lock.lua:")
    -- somebody else holds it when the scope ends: it stays held
    local go = aio.Event()
    local other
    raised(aio.RuntimeError, function()
      local _ <close> = lock:acquire()
      lock:release()
      other = aio.create_task(function()
        local _ <close> = lock:acquire()
        go:wait()
        lu.assertTrue(lock:locked())
      end)
      turns(2)
    end)
    lu.assertTrue(lock:locked())
    go:set()
    other:await()
    lu.assertFalse(lock:locked())
  end)
end

function T.test_a_scope_without_acquire_is_refused()
  aio.run(function()
    local lock = aio.Lock()
    local function scope() local _ <close> = lock end
    for _ = 1, 2 do
      local err = raised(aio.RuntimeError, scope)
      lu.assertStrContains(err.message, "was not acquired")
      lu.assertStrContains(err.where, "test_lock.lua:")
      lu.assertFalse(lock:locked())
    end
    lock:acquire()
    aio.create_task(function() raised(aio.RuntimeError, scope) end):await()
    lu.assertTrue(lock:locked()) -- another task's
    lock:release()
  end)
end

function T.test_the_error_of_the_block_wins_over_the_lost_hold()
  aio.run(function()
    local lock = aio.Lock()
    local ok, err = pcall(function()
      local _ <close> = lock:acquire()
      lock:release()
      error("mine", 0)
    end)
    lu.assertEquals({ ok, err }, { false, "mine" })
  end)
end

function T.test_with()
  aio.run(function()
    local lock = aio.Lock()
    local results = table.pack(lock:with(function(...)
      lu.assertTrue(lock:locked())
      turns(1)
      return "a", nil, select("#", ...)
    end, 1, nil))
    lu.assertEquals(results, { n = 3, "a", nil, 2 })
    lu.assertFalse(lock:locked())
    local err = { "anything" }
    local ok, got = pcall(lock.with, lock, function()
      turns(1)
      error(err)
    end)
    lu.assertFalse(ok)
    lu.assertIs(got, err)
    lu.assertFalse(lock:locked())
    lu.assertErrorMsgContains("bad argument #1 to 'with' (function expected, got no value)",
      function() lock:with() end)
    lu.assertFalse(lock:locked())
  end)
end

function T.test_with_waits_its_turn()
  aio.run(function()
    local lock, got = aio.Lock(), {}
    lock:acquire()
    local function body(name)
      got[#got + 1] = name
      turns(1)
      return name
    end
    local a = aio.create_task(lock.with, lock, body, "a")
    local b = aio.create_task(lock.with, lock, body, "b")
    local c = aio.create_task(lock.with, lock, body, "c")
    turns(1)
    lock:release()
    a:cancel()
    aio.wait { a }
    lu.assertTrue(a:cancelled())
    lu.assertEquals({ aio.gather(b, c) }, { "b", "c" })
    lu.assertEquals(got, { "b", "c" })
    lu.assertFalse(lock:locked())
  end)
end

function T.test_with_tells_its_hold_from_a_later_one()
  aio.run(function()
    local lock = aio.Lock()
    raised(aio.RuntimeError, lock.with, lock, function()
      lock:release()
      lock:acquire()
    end)
    lu.assertTrue(lock:locked()) -- the second hold is nobody's scope
    lock:release()
  end)
end

function T.test_scope_in_a_coroutine_of_the_task()
  aio.run(function()
    local lock = aio.Lock()
    local gen = coroutine.wrap(function()
      local _ <close> = lock:acquire()
      coroutine.yield(1)
    end)
    gen()
    lu.assertTrue(lock:locked())
    gen()
    lu.assertFalse(lock:locked())
  end)
end

function T.test_another_task_may_release()
  aio.run(function()
    local lock = aio.Lock()
    lock:acquire()
    aio.create_task(lock.release, lock):await()
    lu.assertFalse(lock:locked())
  end)
end

function T.test_misuse()
  local lock = aio.Lock()
  local err = raised(aio.RuntimeError, lock.release, lock)
  lu.assertStrContains(err.message, "not held")
  lu.assertErrorMsgContains("bad argument #1 to 'acquire' (Lock expected, got no value; write a "
    .. "colon before 'acquire')", function() lock.acquire() end)
  lu.assertErrorMsgContains("Lock expected, got table", lock.locked, {})
  lu.assertErrorMsgContains("Lock expected, got Event", lock.locked, aio.Event())
  lu.assertErrorMsgContains("Lock expected", lock.release, io.stdout)
  lock:acquire() -- needs no task as long as it need not wait
  err = raised(aio.RuntimeError, lock.acquire, lock)
  lu.assertStrContains(err.message, "outside a task")
  lock:release()
  aio.run(function()
    lock:acquire()
    err = raised(aio.RuntimeError, aio.atomic, lock.acquire, lock)
    lu.assertStrContains(err.message, "aio.atomic")
    lu.assertStrContains(tostring(lock), "locked, 0 waiting")
    lock:release()
  end)
end

function T.test_serves_one_loop()
  local lock = aio.Lock()
  local function contend()
    lock:acquire()
    local task = aio.create_task(lock.acquire, lock)
    turns(1)
    lock:release()
    task:await()
    lock:release()
  end
  aio.run(contend)
  local err = raised(aio.RuntimeError, aio.run, contend)
  lu.assertStrContains(err.message, "another loop")
end

function T.test_a_loop_that_closes_with_waiters()
  local lock = aio.Lock()
  local loop = aio.new_event_loop()
  lock:acquire()
  loop:create_task(lock.acquire, lock)
  loop:run_until_complete(loop:create_task(turns, 1))
  loop:close()
  lock:release()
  lu.assertFalse(lock:locked())
end

function T.test_tostring()
  local lock = aio.Lock()
  lu.assertStrMatches(tostring(lock), "Lock: .*%(free, 0 waiting%)")
end

return T
