-- SPDX-License-Identifier: MIT
-- Semaphore and BoundedSemaphore: slots, order, cancellation at every point, misuse.

local aio = require "aio"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised, support.turns

local T = {}

function T.test_slots()
  local semaphore = aio.Semaphore(2)
  lu.assertIs(semaphore:acquire(), semaphore)
  lu.assertFalse(semaphore:locked())
  semaphore:acquire()
  lu.assertTrue(semaphore:locked())
  semaphore:release()
  lu.assertFalse(semaphore:locked())
  lu.assertFalse(aio.Semaphore():locked())
  lu.assertTrue(aio.Semaphore(0):locked())
end

function T.test_first_come_first_served()
  aio.run(function()
    local semaphore, got = aio.Semaphore(0), {}
    local tasks = {}
    for i = 1, 4 do
      tasks[i] = aio.create_task(function()
        semaphore:acquire()
        got[#got + 1] = i
      end)
    end
    turns(1)
    semaphore:release()
    semaphore:release()
    lu.assertTrue(semaphore:locked())
    turns(1)
    lu.assertEquals(got, { 1, 2 })
    for _ = 1, 3 do semaphore:release() end
    aio.gather(tasks)
    lu.assertEquals(got, { 1, 2, 3, 4 })
    lu.assertFalse(semaphore:locked()) -- one release more than there were waiters
  end)
end

function T.test_newcomers_stand_behind_the_one_whose_turn_it_is()
  aio.run(function()
    local semaphore, got = aio.Semaphore(0), {}
    local function enter(name)
      semaphore:acquire()
      got[#got + 1] = name
    end
    local a = aio.create_task(enter, "a")
    turns(1)
    semaphore:release()
    semaphore:release() -- a slot is free, but a has not run yet
    lu.assertTrue(semaphore:locked())
    local b = aio.create_task(enter, "b")
    aio.gather(a, b)
    lu.assertEquals(got, { "a", "b" })
  end)
end

-- Three waiters, some of them cancelled, and `releases` slots: none is lost.
local function cancel_some(releases, happen)
  local semaphore, entered = aio.Semaphore(0), 0
  local tasks = {}
  for i = 1, 3 do
    tasks[i] = aio.create_task(function()
      semaphore:acquire()
      entered = entered + 1
    end)
  end
  turns(1)
  happen(tasks, function()
    for _ = 1, releases do semaphore:release() end
  end)
  turns(4)
  -- no slot is lost: what was not used can be taken
  for _ = 1, releases - entered do
    lu.assertFalse(semaphore:locked())
    semaphore:acquire()
  end
  lu.assertTrue(semaphore:locked())
  for _, task in ipairs(tasks) do task:cancel() end
  aio.wait(tasks)
end

function T.test_cancel_at_every_point()
  aio.run(support.cancel_at_every_point, 4, 2, cancel_some)
end

function T.test_a_coroutine_that_somebody_closes_hands_its_slot_on()
  aio.run(function()
    local semaphore = aio.Semaphore(0)
    local a = aio.create_task(semaphore.acquire, semaphore)
    local b = aio.create_task(semaphore.acquire, semaphore)
    turns(1)
    semaphore:release()
    coroutine.close(a:get_coro())
    lu.assertIs(b:await(), semaphore)
    lu.assertTrue(semaphore:locked())
    lu.assertNotNil(a:exception())
  end)
end

function T.test_scope_and_with()
  aio.run(function()
    for _, class in ipairs { aio.Semaphore, aio.BoundedSemaphore } do
      local semaphore = class(1)
      do
        local _ <close> = semaphore:acquire()
        lu.assertTrue(semaphore:locked())
      end
      lu.assertFalse(semaphore:locked())
      lu.assertEquals({ semaphore:with(function(...)
        turns(1)
        lu.assertTrue(semaphore:locked())
        return ...
      end, 1, 2) }, { 1, 2 })
      lu.assertFalse(semaphore:locked())
      lu.assertErrorMsgContains("boom", semaphore.with, semaphore, error, "boom")
      lu.assertFalse(semaphore:locked())
      semaphore:acquire()
      local waits = aio.create_task(semaphore.with, semaphore, function() return "got" end)
      turns(1)
      semaphore:release()
      lu.assertEquals(waits:await(), "got")
      lu.assertFalse(semaphore:locked())
    end
  end)
end

function T.test_a_release_by_hand_counts_besides_the_scope()
  aio.run(function()
    local semaphore = aio.Semaphore(1)
    do
      local _ <close> = semaphore:acquire()
      semaphore:release()
    end
    semaphore:acquire()
    lu.assertFalse(semaphore:locked())
  end)
end

function T.test_a_scope_without_acquire_is_refused()
  for _, make in ipairs { aio.Semaphore, aio.BoundedSemaphore } do
    local semaphore = make(1)
    local function scope() local _ <close> = semaphore end
    local function refused()
      local before = tostring(semaphore)
      local err = raised(aio.RuntimeError, scope)
      lu.assertStrContains(err.message,
        "semaphore of this scope was not acquired; write local _ <close> = sem:acquire()")
      lu.assertStrContains(err.where, "test_semaphore.lua:")
      lu.assertEquals(tostring(semaphore), before)
    end
    refused()
    do local _ <close> = semaphore:acquire() end
    refused()
    semaphore:with(function() end)
    refused()
    aio.select { { semaphore, "acquire" } }
    scope()
    refused()
    local ok, err = pcall(function()
      local _ <close> = semaphore
      error("mine", 0)
    end)
    lu.assertEquals({ ok, err }, { false, "mine" })
  end
end

-- A release by somebody else may be there to add a slot: the scope of who holds one goes on.
function T.test_a_slot_is_added_while_a_scope_holds_one()
  local semaphore = aio.Semaphore(1)
  do
    local _ <close> = semaphore:acquire()
    semaphore:release()
    lu.assertStrContains(tostring(semaphore), "value 1")
  end
  lu.assertStrContains(tostring(semaphore), "value 2")
end

function T.test_bound()
  aio.run(function()
    local semaphore = aio.BoundedSemaphore(2)
    local err = raised(aio.RuntimeError, semaphore.release, semaphore)
    lu.assertStrContains(err.message, "too often")
    semaphore:acquire()
    semaphore:release()
    raised(aio.RuntimeError, semaphore.release, semaphore)
    lu.assertStrContains(tostring(semaphore), "BoundedSemaphore")
    lu.assertStrContains(tostring(semaphore), "value 2, 0 waiting")
  end)
end

function T.test_timeout()
  aio.run(function()
    local semaphore = aio.Semaphore(0)
    raised(aio.TimeoutError, aio.timeout, 0.001, semaphore.acquire, semaphore)
    semaphore:release()
    lu.assertFalse(semaphore:locked())
  end)
end

function T.test_misuse()
  lu.assertErrorMsgContains("bad argument #1 to 'Semaphore' (a number of slots, not negative",
    function() aio.Semaphore(-1) end)
  lu.assertErrorMsgContains("number expected, got table", aio.Semaphore, {})
  lu.assertErrorMsgContains("bad argument #1 to 'BoundedSemaphore'",
    function() aio.BoundedSemaphore(-1) end)
  local semaphore = aio.Semaphore(0)
  for _, name in ipairs { "acquire", "release", "locked", "with" } do
    lu.assertErrorMsgContains("Semaphore expected, got no value", semaphore[name])
  end
  lu.assertErrorMsgContains("function expected, got number", semaphore.with, semaphore, 1)
  raised(aio.RuntimeError, semaphore.acquire, semaphore)
  local function contend()
    local task = aio.create_task(semaphore.acquire, semaphore)
    turns(1)
    semaphore:release()
    task:await()
  end
  aio.run(contend)
  lu.assertStrContains(raised(aio.RuntimeError, aio.run, contend).message, "another loop")
end

return T
