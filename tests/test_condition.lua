-- SPDX-License-Identifier: MIT
-- Condition: notifications, the lock around the waiting, cancellation at every point, misuse.

local aio = require "aio"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised, support.turns

local T = {}

-- A task that waits for a notification and then notes its name.
local function waiter(condition, got, name)
  return aio.create_task(function()
    local _ <close> = condition:acquire()
    lu.assertIs(condition:wait(), true)
    got[#got + 1] = name
    turns(1)
    lu.assertTrue(condition:locked())
  end)
end

function T.test_acquire_release_locked_with()
  aio.run(function()
    local condition = aio.Condition()
    lu.assertIs(condition:acquire(), condition)
    lu.assertTrue(condition:locked())
    condition:release()
    lu.assertFalse(condition:locked())
    lu.assertEquals(condition:with(function() return condition:locked() end), true)
    lu.assertFalse(condition:locked())
    condition:acquire()
    local task = aio.create_task(condition.with, condition, function() return "later" end)
    turns(1)
    condition:release()
    lu.assertEquals(task:await(), "later")
  end)
end

function T.test_notify_n_and_all()
  aio.run(function()
    local condition, got = aio.Condition(), {}
    local tasks = {}
    for i = 1, 6 do tasks[i] = waiter(condition, got, i) end
    turns(2)
    condition:with(condition.notify, condition)
    turns(4)
    lu.assertEquals(got, { 1 })
    condition:with(condition.notify, condition, 2)
    turns(8)
    lu.assertEquals(got, { 1, 2, 3 })
    condition:with(condition.notify, condition, 0)
    condition:with(condition.notify, condition, math.mininteger)
    condition:with(condition.notify_all, condition)
    aio.gather(tasks)
    lu.assertEquals(got, { 1, 2, 3, 4, 5, 6 })
  end)
end

function T.test_two_conditions_share_a_lock()
  aio.run(function()
    local lock, got = aio.Lock(), {}
    local full, empty = aio.Condition(lock), aio.Condition(lock)
    local a, b = waiter(full, got, "full"), waiter(empty, got, "empty")
    turns(1)
    lock:acquire()
    lu.assertTrue(full:locked())
    empty:notify()
    lock:release()
    b:await()
    lu.assertEquals(got, { "empty" })
    full:with(full.notify, full)
    a:await()
  end)
end

function T.test_wait_for()
  aio.run(function()
    local condition, n, asked = aio.Condition(), 0, 0
    local task = aio.create_task(function()
      local _ <close> = condition:acquire()
      return condition:wait_for(function()
        asked = asked + 1
        lu.assertTrue(condition:locked())
        return n >= 2 and "enough"
      end)
    end)
    turns(1)
    for i = 1, 2 do
      n = i
      condition:with(condition.notify, condition)
      turns(3)
    end
    lu.assertEquals(task:await(), "enough")
    lu.assertEquals(asked, 3)
    condition:acquire()
    lu.assertEquals(condition:wait_for(function() return 7 end), 7)
    lu.assertErrorMsgContains("boom", condition.wait_for, condition, function() error("boom") end)
    lu.assertErrorMsgContains("bad argument #1 to 'wait_for' (function expected, got nil)",
      condition.wait_for, condition)
    condition:release()
  end)
end

function T.test_cancelled_wait_takes_the_lock_back_first()
  aio.run(function()
    local condition = aio.Condition()
    local seen
    local task = aio.create_task(function()
      local _ <close> = condition:acquire()
      local ok, err = aio.catch(aio.CancelledError, condition.wait, condition)
      seen = { ok, err.message, condition:locked() }
      error(err, 0)
    end)
    turns(1)
    condition:acquire()
    task:cancel("first")
    turns(2)
    task:cancel("second") -- stands in the lock's line by now
    turns(3)
    lu.assertNil(seen)
    condition:release()
    aio.wait { task }
    lu.assertEquals(seen, { false, "second", true })
    lu.assertTrue(task:cancelled())
    lu.assertFalse(condition:locked())
  end)
end

-- Three waiters, `n` notifications, those in `set` cancelled at some point: the other waiters use
-- as many notifications as there are, none is lost.
local function cancel_some(n, happen, set)
  local condition, got = aio.Condition(), {}
  local tasks, survivors = {}, 0
  for i = 1, 3 do
    tasks[i] = waiter(condition, got, i)
    if set & (1 << (i - 1)) == 0 then survivors = survivors + 1 end
  end
  turns(1)
  happen(tasks, function() condition:with(condition.notify, condition, n) end)
  turns(12)
  lu.assertTrue(#got >= math.min(n, survivors), ("%d of %d"):format(#got, n))
  lu.assertTrue(#got <= n)
  lu.assertFalse(condition:locked())
  for _, task in ipairs(tasks) do task:cancel() end
  aio.wait(tasks)
  lu.assertFalse(condition:locked())
end

function T.test_cancel_at_every_point()
  aio.run(support.cancel_at_every_point, 3, 4, cancel_some)
end

function T.test_timeout_holds_the_lock_again()
  aio.run(function()
    local condition = aio.Condition()
    condition:with(function()
      raised(aio.TimeoutError, aio.timeout, 0.001, condition.wait, condition)
      lu.assertTrue(condition:locked())
    end)
    lu.assertFalse(condition:locked())
  end)
end

function T.test_the_hold_after_a_wait_is_the_scopes()
  aio.run(function()
    local condition = aio.Condition()
    local task = aio.create_task(condition.with, condition, function()
      condition:wait()
      return "in with"
    end)
    turns(1)
    condition:with(condition.notify, condition)
    lu.assertEquals(task:await(), "in with")
    lu.assertFalse(condition:locked())
    local err = raised(aio.RuntimeError, function()
      local _ <close> = condition:acquire()
      condition:release()
    end)
    lu.assertStrContains(err.message,
      "condition of this scope was not acquired; write local _ <close> = condition:acquire()")
    err = raised(aio.RuntimeError, function()
      local _ <close> = condition
    end)
    lu.assertStrContains(err.message, "was not acquired")
    lu.assertFalse(condition:locked())
  end)
end

function T.test_a_coroutine_that_somebody_closes_hands_its_notification_on()
  aio.run(function()
    local condition, got = aio.Condition(), {}
    local a, b = waiter(condition, got, "a"), waiter(condition, got, "b")
    turns(1)
    condition:with(condition.notify, condition)
    coroutine.close(a:get_coro())
    b:await()
    lu.assertEquals(got, { "b" })
    lu.assertFalse(condition:locked())
    lu.assertNotNil(a:exception())
  end)
end

function T.test_misuse()
  aio.run(function()
    local condition = aio.Condition()
    for _, name in ipairs { "wait", "notify", "notify_all" } do
      local err = raised(aio.RuntimeError, condition[name], condition)
      lu.assertStrContains(err.message, name .. " needs the condition's lock")
    end
    raised(aio.RuntimeError, condition.release, condition)
    lu.assertErrorMsgContains("bad argument #1 to 'Condition' (Lock expected, got table)",
      function() aio.Condition({}) end)
    for _, name in ipairs { "wait", "notify", "notify_all" } do
      lu.assertErrorMsgContains("Condition expected, got Lock", condition[name], aio.Lock())
    end
    condition:acquire()
    lu.assertErrorMsgContains("bad argument", condition.notify, condition, "many")
    lu.assertStrContains(tostring(condition), "locked, 0 waiting")
    raised(aio.RuntimeError, aio.atomic, condition.wait, condition)
    lu.assertTrue(condition:locked())
    condition:release()
  end)
end

return T
