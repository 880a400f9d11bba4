-- SPDX-License-Identifier: MIT
-- Barrier: rounds, reset, abort, cancellation, misuse.

local aio = require "aio"
local lu = require "luaunit"
local turns = require("support.tasks").turns

local T = {}

local function party(barrier)
  return aio.create_task(barrier.wait, barrier)
end

function T.test_all_leave_together()
  aio.run(function()
    local barrier = aio.Barrier(3)
    lu.assertEquals(barrier.parties, 3)
    local a, b = party(barrier), party(barrier)
    turns(2)
    lu.assertEquals(barrier.n_waiting, 2)
    lu.assertFalse(a:done())
    lu.assertEquals(barrier:wait(), 3) -- the last does not wait
    lu.assertEquals(barrier.n_waiting, 0)
    lu.assertEquals({ aio.gather(a, b) }, { 1, 2 })
    lu.assertFalse(barrier.broken)
  end)
end

function T.test_rounds()
  aio.run(function()
    local barrier, places = aio.Barrier(2), {}
    local function rounds()
      for i = 1, 5 do
        local place = barrier:wait()
        places[#places + 1] = i .. ":" .. place
      end
    end
    aio.gather(rounds, rounds)
    table.sort(places)
    lu.assertEquals(table.concat(places, " "), "1:1 1:2 2:1 2:2 3:1 3:2 4:1 4:2 5:1 5:2")
  end)
end

function T.test_one_too_many_waits_for_the_next_round()
  aio.run(function()
    local barrier = aio.Barrier(2)
    local a, b, c, d = party(barrier), party(barrier), party(barrier), party(barrier)
    local got = { aio.gather(a, b, c, d) }
    table.sort(got)
    lu.assertEquals(got, { 1, 1, 2, 2 })
  end)
end

function T.test_abort_and_reset()
  aio.run(function()
    local barrier = aio.Barrier(3)
    local a, b = party(barrier), party(barrier)
    turns(1)
    barrier:abort()
    lu.assertTrue(barrier.broken)
    aio.wait { a, b }
    lu.assertTrue(aio.is(a:exception(), aio.BrokenBarrierError))
    lu.assertTrue(aio.is(b:exception(), aio.BrokenBarrierError, aio.RuntimeError))
    lu.assertFalse((aio.catch(aio.BrokenBarrierError, barrier.wait, barrier)))
    barrier:reset()
    lu.assertFalse(barrier.broken)
    local c = party(barrier)
    turns(1)
    barrier:reset() -- breaks the round of those who wait, not the barrier
    aio.wait { c }
    lu.assertTrue(aio.is(c:exception(), aio.BrokenBarrierError))
    lu.assertFalse(barrier.broken)
    aio.gather(party(barrier), party(barrier), party(barrier))
  end)
end

function T.test_reset_and_abort_outside_a_task()
  local barrier = aio.Barrier(1)
  barrier:abort()
  lu.assertTrue(barrier.broken)
  barrier:reset()
  lu.assertFalse(barrier.broken)
end

function T.test_newcomers_wait_until_a_reset_is_through()
  aio.run(function()
    local barrier = aio.Barrier(2)
    local a = party(barrier)
    turns(1)
    barrier:reset()
    local b, c = party(barrier), party(barrier)
    aio.wait { a }
    lu.assertNotNil(a:exception())
    local got = { aio.gather(b, c) }
    table.sort(got)
    lu.assertEquals(got, { 1, 2 })
  end)
end

function T.test_cancelled_party_leaves()
  aio.run(function()
    for when = 0, 3 do
      local barrier = aio.Barrier(2)
      local a = party(barrier)
      turns(when)
      a:cancel()
      aio.wait { a }
      lu.assertTrue(a:cancelled())
      lu.assertEquals(barrier.n_waiting, 0)
      lu.assertFalse(barrier.broken)
      aio.gather(party(barrier), party(barrier))
    end
  end)
end

function T.test_cancelled_while_the_round_drains()
  aio.run(function()
    local barrier = aio.Barrier(2)
    local a = party(barrier)
    turns(1)
    barrier:wait()
    a:cancel()
    aio.wait { a }
    lu.assertTrue(a:cancelled())
    aio.gather(party(barrier), party(barrier)) -- the round has ended for all
  end)
end

function T.test_misuse()
  for _, bad in ipairs { "x", {}, 1.5 } do
    lu.assertErrorMsgContains("bad argument #1 to 'Barrier'", aio.Barrier, bad)
  end
  lu.assertErrorMsgContains("at least one party", aio.Barrier, 0)
  lu.assertErrorMsgContains("number of parties expected, got no value", aio.Barrier)
  local barrier = aio.Barrier(2)
  for _, name in ipairs { "wait", "reset", "abort" } do
    lu.assertErrorMsgContains("Barrier expected", barrier[name], {})
  end
  lu.assertErrorMsgContains("no field 'parties' that can be set",
    function() barrier.parties = 3 end)
  lu.assertNil(barrier.unknown)
  local ok, err = pcall(barrier.wait, barrier)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), "outside a task")
  lu.assertEquals(barrier.n_waiting, 0)
  lu.assertStrContains(tostring(barrier), "filling, 0 of 2 waiting")
end

return T
