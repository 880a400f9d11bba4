-- SPDX-License-Identifier: MIT
-- gather, gather_future, wait, as_completed, race, map, shield: what is ours. The rules of asyncio
-- are held by the conformance programs.

local lu = require "luaunit"
local aio = require "aio"

local T = {}

local function value(x) return function() aio.sleep(0) return x end end
local function fails(x) return function() aio.sleep(0) error(x, 0) end end
local function forever() aio.sleep(60) end

-- The only task left is the one that runs the test.
local function assert_alone() lu.assertEquals(#aio.all_tasks(), 1) end

function T.test_shapes_of_gather()
  aio.run(function()
    lu.assertEquals({ aio.gather(value(1), value(nil), value(3)) }, { 1, nil, 3 })
    lu.assertEquals(select("#", aio.gather()), 0)
    lu.assertEquals(aio.gather {}, { n = 0 })
    lu.assertEquals(aio.gather { value(1), value(2) }, { 1, 2, n = 2 })
    lu.assertEquals(aio.gather({ value(1), print, n = 1 }), { 1, n = 1 })
    local results, errors = aio.gather({ value(1), fails "x" }, { return_exceptions = true })
    lu.assertEquals(results, { 1, n = 2 })
    lu.assertEquals(errors, { nil, "x", n = 2 })
  end)
end

function T.test_first_value_of_each()
  aio.run(function()
    lu.assertEquals({ aio.gather(function() return 1, 2 end, function() end) }, { 1, nil })
  end)
end

function T.test_same_awaitable_is_one_job_same_function_two()
  aio.run(function()
    local t = aio.create_task(value(5))
    lu.assertEquals({ aio.gather(t, t) }, { 5, 5 })
    local calls = 0
    local function count() calls = calls + 1 end
    aio.gather(count, count)
    lu.assertEquals(calls, 2)
    local co = coroutine.create(value(6))
    lu.assertEquals({ aio.gather(co, co) }, { 6, 6 })
    lu.assertEquals(#(aio.wait { t, t }), 1)
  end)
end

function T.test_bad_job_makes_no_task()
  aio.run(function()
    lu.assertError(aio.gather, value(1), 5)
    lu.assertError(aio.gather, { value(1), {} })
    assert_alone()
  end)
end

function T.test_later_errors_of_a_gather_are_not_reported()
  local reports = 0
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function() reports = reports + 1 end)
    lu.assertErrorMsgContains("first", aio.gather, fails "first", function()
      aio.sleep(0)
      aio.sleep(0)
      error("second", 0)
    end)
    aio.sleep(0)
    aio.sleep(0)
    collectgarbage()
    aio.sleep(0)
  end)
  lu.assertEquals(reports, 0)
end

function T.test_cancelled_gather_waits_for_its_children()
  aio.run(function()
    local cleaned = 0
    local function child()
      local _ <close> = aio.defer(function()
        aio.sleep(0.001)
        cleaned = cleaned + 1
      end)
      aio.sleep(60)
    end
    local t = aio.create_task(aio.gather, child, child)
    aio.sleep(0)
    aio.sleep(0)
    t:cancel "stop"
    local _, err = pcall(t.await, t)
    lu.assertTrue(aio.is(err, aio.CancelledError))
    lu.assertEquals(cleaned, 2)
    assert_alone()
  end)
end

function T.test_gather_future()
  aio.run(function()
    local f = aio.gather_future(value(1), value(2))
    lu.assertTrue(aio.isfuture(f))
    lu.assertFalse(f:done())
    lu.assertEquals({ f:await() }, { 1, 2 })
    f = aio.gather_future { forever, forever }
    aio.sleep(0)
    lu.assertTrue(f:cancel())
    lu.assertFalse(f:done()) -- the children have not ended yet
    lu.assertFalse((pcall(f.await, f)))
    lu.assertFalse(f:cancel())
    assert_alone()
  end)
end

function T.test_wait_order_and_timeout()
  aio.run(function()
    local slow, quick = aio.create_task(forever), aio.create_task(value(1))
    local done, pending = aio.wait({ slow, quick }, { timeout = 0.001 })
    lu.assertEquals({ done, pending }, { { quick }, { slow } })
    slow:cancel()
    done, pending = aio.wait { quick, slow }
    lu.assertEquals({ done, pending }, { { quick, slow }, {} })
  end)
end

function T.test_as_completed_tells_places_and_stops_cleanly()
  aio.run(function()
    local places = {}
    for t, i in aio.as_completed { function() aio.sleep(0.002) end, value(1) } do
      lu.assertTrue(t:done())
      places[#places + 1] = i
    end
    lu.assertEquals(places, { 2, 1 })
    local rest = aio.create_task(forever)
    for _ in aio.as_completed({ rest, value(1) }, { timeout = 60 }) do -- luacheck: ignore 512
      break
    end
    rest:cancel()
    pcall(rest.await, rest)
  end)
end

function T.test_as_completed_timeout()
  aio.run(function()
    local t = aio.create_task(forever)
    local ok, err = pcall(function()
      for _ in aio.as_completed({ t }, { timeout = 0.001 }) do end
    end)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.TimeoutError))
    lu.assertFalse(t:done())
    t:cancel()
    pcall(t.await, t)
  end)
end

function T.test_race()
  aio.run(function()
    lu.assertEquals({ aio.race(forever, function() aio.sleep(0) return 1, 2 end) }, { 1, 2 })
    assert_alone()
    lu.assertErrorMsgContains("x", aio.race, { fails "x", forever })
    assert_alone()
    local t = aio.create_task(aio.race, forever, forever)
    aio.sleep(0)
    t:cancel()
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    assert_alone()
  end)
end

function T.test_map_limits_and_keeps_order()
  aio.run(function()
    local active, most = 0, 0
    local function double(x, i)
      lu.assertEquals(x, i * 10)
      active = active + 1
      most = math.max(most, active)
      aio.sleep(x % 20 == 0 and 0.001 or 0)
      active = active - 1
      return x * 2
    end
    lu.assertEquals(aio.map(double, { 10, 20, 30, 40, 50 }, { limit = 2 }),
      { 20, 40, 60, 80, 100, n = 5 })
    lu.assertEquals(most, 2)
    local n = 0
    local function iterator()
      n = n + 1
      return n <= 3 and n or nil
    end
    lu.assertEquals(aio.map(function(x) return -x end, iterator), { -1, -2, -3, n = 3 })
    assert_alone()
  end)
end

function T.test_map_errors()
  aio.run(function()
    local function odd(x)
      aio.sleep(0)
      if x == 2 then error("two", 0) end
      if x == 3 then aio.sleep(60) end
      return x
    end
    lu.assertErrorMsgContains("two", aio.map, odd, { 1, 2, 3 })
    assert_alone()
    local results, errors = aio.map(odd, { 1, 2 }, { return_exceptions = true })
    lu.assertEquals({ results, errors }, { { 1, n = 2 }, { nil, "two", n = 2 } })
    local t = aio.create_task(aio.map, odd, { 3, 3 })
    aio.sleep(0)
    aio.sleep(0)
    t:cancel()
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    assert_alone()
  end)
end

function T.test_shield()
  aio.run(function()
    local gate = aio.Future()
    local inner = aio.create_task(gate.await, gate)
    local waiter = aio.create_task(function() return aio.shield(inner):await() end)
    aio.sleep(0)
    aio.sleep(0)
    waiter:cancel()
    pcall(waiter.await, waiter)
    lu.assertTrue(waiter:cancelled())
    lu.assertFalse(inner:done())
    gate:set_result "done"
    lu.assertEquals(inner:await(), "done")
    lu.assertIs(aio.shield(inner), inner)
  end)
end

-- Rings: tasks that wait for each other through gathers. A cancel goes round once.

function T.test_cancelling_a_ring_through_gather()
  aio.run(function()
    local a, b
    a = aio.create_task(function() aio.gather(b) end)
    b = aio.create_task(function() a:await() end)
    aio.sleep(0)
    a:cancel()
    lu.assertFalse(pcall(a.await, a))
    lu.assertTrue(a:cancelled())
    lu.assertTrue(b:done() or not pcall(b.await, b))
  end)
end

function T.test_cancelling_a_ring_through_gather_future()
  aio.run(function()
    local both
    local t = aio.create_task(function() both:await() end)
    both = aio.gather_future(t)
    aio.sleep(0)
    lu.assertTrue(both:cancel())
    lu.assertFalse(pcall(t.await, t))
    lu.assertFalse(pcall(both.await, both))
  end)
end

function T.test_a_cancel_through_very_many_gathers_is_refused()
  aio.run(function()
    local task = aio.create_task(aio.sleep, 0.01)
    local inner = task
    for _ = 1, 3000 do
      local next_inner = inner
      inner = aio.create_task(function() aio.gather(next_inner) end)
    end
    aio.sleep(0)
    local ok, err = pcall(inner.cancel, inner)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(err), "nested more than")
    inner:await() -- nothing has happened to it
  end)
end

return T
