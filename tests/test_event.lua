-- SPDX-License-Identifier: MIT
-- Event: waking, clearing, cancellation, misuse.

local aio = require "aio"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised, support.turns

local T = {}

function T.test_flag()
  local event = aio.Event()
  lu.assertFalse(event:is_set())
  event:set()
  event:set()
  lu.assertTrue(event:is_set())
  lu.assertTrue(event:wait()) -- does not have to wait
  event:clear()
  lu.assertFalse(event:is_set())
  event:clear()
end

function T.test_set_wakes_all_in_order()
  aio.run(function()
    local event, got = aio.Event(), {}
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = aio.create_task(function()
        lu.assertIs(event:wait(), true)
        got[#got + 1] = i
      end)
    end
    turns(1)
    event:set()
    lu.assertEquals(got, {})
    turns(1)
    lu.assertEquals(got, { 1, 2, 3 })
    aio.gather(tasks)
  end)
end

function T.test_who_was_woken_does_not_look_again()
  aio.run(function()
    local event = aio.Event()
    local early = aio.create_task(event.wait, event)
    turns(1)
    event:set()
    event:clear()
    local late = aio.create_task(event.wait, event)
    lu.assertTrue(early:await())
    lu.assertFalse(late:done())
    event:set()
    lu.assertTrue(late:await())
  end)
end

function T.test_cancel_before_and_after_the_waking()
  aio.run(function()
    local event = aio.Event()
    local a = aio.create_task(event.wait, event)
    local b = aio.create_task(event.wait, event)
    local c = aio.create_task(event.wait, event)
    turns(1)
    a:cancel()
    event:set()
    b:cancel()
    aio.wait { a, b, c }
    lu.assertTrue(a:cancelled())
    lu.assertTrue(b:cancelled())
    lu.assertTrue(c:result())
    lu.assertStrContains(tostring(event), "0 waiting")
  end)
end

function T.test_timeout()
  aio.run(function()
    local event = aio.Event()
    raised(aio.TimeoutError, aio.wait_for, aio.async(event.wait)(event), 0.001)
    raised(aio.TimeoutError, aio.timeout, 0.001, event.wait, event)
    lu.assertStrContains(tostring(event), "not set, 0 waiting")
  end)
end

function T.test_misuse()
  local event = aio.Event()
  lu.assertStrContains(raised(aio.RuntimeError, event.wait, event).message, "outside a task")
  for _, name in ipairs { "is_set", "set", "clear", "wait" } do
    lu.assertErrorMsgContains("Event expected, got string", event[name], "x")
  end
  local function wait()
    local task = aio.create_task(event.wait, event)
    turns(1)
    event:set()
    task:await()
    event:clear()
  end
  aio.run(wait)
  lu.assertStrContains(raised(aio.RuntimeError, aio.run, wait).message, "another loop")
end

return T
