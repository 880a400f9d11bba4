-- SPDX-License-Identifier: MIT
-- TaskGroup where the conformance programs do not reach: requests to cancel that meet, deadlocks,
-- eager children.

local lu = require "luaunit"
local aio = require "aio"

local T = {}

local function stubborn()
  aio.pcall(pcall, aio.sleep, 10)
  aio.sleep(0.005)
end

-- A cancel from outside that comes while a cancelled group waits is not lost with the group's own.
function T.test_a_cancel_during_the_end_of_a_cancelled_group()
  local went_on = false
  aio.run(function()
    local t = aio.create_task(function()
      aio.TaskGroup(function(tg)
        tg:create_task(stubborn)
        aio.sleep(0)
        tg:cancel()
      end)
      went_on = true
    end)
    for _ = 1, 3 do aio.sleep(0) end
    t:cancel()
    local ok, err = pcall(t.await, t)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.CancelledError))
    lu.assertTrue(t:cancelled())
  end)
  lu.assertFalse(went_on)
end

function T.test_the_groups_own_cancel_is_taken_back_when_its_end_fails()
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function() end)
    local ok, err = pcall(aio.TaskGroup, function(tg)
      tg:create_task(error, "x")
      tg:create_task(function() aio.pcall(pcall, aio.sleep, 10) aio.Future():await() end)
      aio.sleep(1)
    end)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(err), "deadlock")
    lu.assertEquals(aio.current_task():cancelling(), 0)
    lu.assertEquals(#aio.all_tasks(), 2) -- the child that nothing can end is left to the loop
    for _, task in ipairs(aio.all_tasks()) do
      if task ~= aio.current_task() then task:cancel() end
    end
    aio.sleep(0)
  end)
end

function T.test_an_eager_child_that_fails_at_once()
  local seen = {}
  local ok, err = pcall(aio.run, function()
    aio.TaskGroup(function(tg)
      tg:create_task_with({ eager_start = true }, error, "at once")
      seen[1] = "after it"
      tg:create_task(function() seen[2] = "cancelled before it starts" end)
      aio.sleep(1)
      seen[2] = "never"
    end)
  end)
  lu.assertFalse(ok)
  lu.assertEquals(#err.errors, 1)
  lu.assertEquals(seen, { "after it" })
end

function T.test_an_eager_child_that_cancels_its_group_is_cancelled()
  local child
  aio.run(function()
    aio.TaskGroup(function(tg)
      child = tg:create_task_with({ eager_start = true }, function()
        tg:cancel()
        aio.sleep(1)
      end)
      aio.sleep(1)
    end)
  end)
  lu.assertTrue(child:cancelled())
end

function T.test_a_factory_that_gives_the_same_task_again()
  local loop = aio.new_event_loop()
  local task = loop:create_task(aio.sleep, 0)
  loop:set_task_factory(function() return task end)
  local main = require("aio.core")._task(loop, nil, function()
    aio.TaskGroup(function(tg)
      lu.assertIs(tg:create_task(print), tg:create_task(print))
    end)
    return "ended"
  end)
  lu.assertEquals(loop:run_until_complete(main), "ended")
  loop:close()
end

return T
