-- SPDX-License-Identifier: MIT
-- Stepping a loop from Lua: step, fileno, next_deadline, next_step.

local lu = require "luaunit"
local aio = require "aio"

local T = {}

local loop

T.TestStep = {}

function T.TestStep.setUp()
  loop = aio.new_event_loop()
end

function T.TestStep.tearDown()
  loop:close()
  loop = nil
  aio.set_event_loop(nil)
end

local function counter()
  local c = { n = 0 }
  function c.task()
    while true do
      c.n = c.n + 1
      aio.sleep(0)
    end
  end
  return c
end

-- Ends a task that never would.
local function stop(task)
  task:cancel()
  while not task:done() do loop:step(0) end
end

function T.TestStep.test_without_work()
  lu.assertFalse(loop:step())
  lu.assertFalse(loop:step(0))
  lu.assertFalse(loop:step(1))
end

function T.TestStep.test_zero_is_one_task_step()
  local c = counter()
  local task = loop:create_task(c.task)
  for i = 1, 5 do
    lu.assertTrue(loop:step(0))
    lu.assertEquals(c.n, i)
  end
  stop(task)
end

function T.TestStep.test_zero_takes_turns()
  local order = {}
  local function f(name)
    for _ = 1, 2 do
      order[#order + 1] = name
      aio.sleep(0)
    end
  end
  loop:create_task(f, "a")
  loop:create_task(f, "b")
  for _ = 1, 4 do loop:step(0) end
  lu.assertEquals(order, { "a", "b", "a", "b" })
  loop:step()
end

function T.TestStep.test_negative_counts_as_zero()
  local c = counter()
  local task = loop:create_task(c.task)
  lu.assertTrue(loop:step(-3))
  lu.assertEquals(c.n, 1)
  stop(task)
end

function T.TestStep.test_nil_runs_until_nothing_is_ready()
  local left = 100
  loop:create_task(function()
    while left > 0 do
      left = left - 1
      aio.sleep(0)
    end
  end)
  lu.assertFalse(loop:step())
  lu.assertEquals(left, 0)
end

function T.TestStep.test_never_waits()
  local task = loop:create_task(aio.sleep, 3600)
  lu.assertFalse(loop:step())
  lu.assertFalse(loop:step(3600))
  lu.assertFalse(task:done())
  stop(task)
end

function T.TestStep.test_a_budget_ends_an_endless_task()
  local c = counter()
  local task = loop:create_task(c.task)
  lu.assertTrue(loop:step(0.001))
  lu.assertTrue(c.n >= 1)
  stop(task)
end

function T.TestStep.test_timers_that_are_due()
  local ran = false
  loop:call_later(0, function() ran = true end)
  loop:step()
  lu.assertTrue(ran)
end

function T.TestStep.test_refused_inside_a_task()
  local ok, err
  loop:create_task(function() ok, err = pcall(loop.step, loop) end)
  loop:step()
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError))
  lu.assertStrContains(tostring(err), "running already")
end

function T.TestStep.test_another_loop_refused_inside_a_task()
  local other <close> = aio.new_event_loop()
  local ok, err
  loop:create_task(function() ok, err = pcall(other.step, other) end)
  loop:step()
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError))
end

function T.TestStep.test_bad_arguments()
  lu.assertErrorMsgContains("bad argument", loop.step, loop, 0 / 0)
  lu.assertErrorMsgContains("bad argument", loop.step, loop, "soon")
end

function T.TestStep.test_a_closed_loop()
  local l = aio.new_event_loop()
  l:close()
  for _, name in ipairs { "step", "fileno", "next_deadline" } do
    local ok, err = pcall(l[name], l)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.RuntimeError))
  end
end

function T.TestStep.test_an_exit_leaves_the_step()
  local ended
  loop:create_task(error, aio.SystemExit(3))
  loop:create_task(function() ended = true end)
  local ok, err = pcall(loop.step, loop)
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.SystemExit))
  loop:step()
  lu.assertTrue(ended)
end

function T.TestStep.test_the_current_loop_outside_a_step()
  aio.set_event_loop(loop)
  local fut = aio.Future()
  local got
  aio.create_task(function() got = fut:await() end)
  loop:call_soon(fut.set_result, fut, 5)
  loop:step()
  lu.assertEquals(got, 5)
end

-- ---- next_step ----

function T.TestStep.test_next_step_is_once_a_step()
  local frames, turns = 0, 0
  local a = loop:create_task(function()
    while true do
      aio.next_step()
      frames = frames + 1
    end
  end)
  loop:create_task(function()
    for _ = 1, 50 do
      turns = turns + 1
      aio.sleep(0)
    end
  end)
  loop:step() -- the first turn only begins to wait
  lu.assertEquals(frames, 0)
  lu.assertEquals(turns, 50)
  for i = 1, 5 do
    loop:step()
    lu.assertEquals(frames, i)
  end
  stop(a)
end

function T.TestStep.test_next_step_can_be_cancelled()
  local task = loop:create_task(aio.next_step)
  loop:step()
  task:cancel()
  loop:step()
  lu.assertTrue(task:cancelled())
end

function T.TestStep.test_next_step_needs_a_task()
  local ok, err = pcall(aio.next_step)
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError))
end

-- ---- fileno, next_deadline ----

function T.TestStep.test_fileno()
  lu.assertEquals(math.type(loop:fileno()), "integer")
  lu.assertTrue(loop:fileno() >= 0)
end

function T.TestStep.test_next_deadline()
  loop:step()
  lu.assertNil(loop:next_deadline())
  local at = loop:time() + 3600
  local late = loop:call_at(at, print)
  lu.assertAlmostEquals(loop:next_deadline(), at, 1e-6)
  local sooner = loop:call_at(at - 60, print)
  lu.assertAlmostEquals(loop:next_deadline(), at - 60, 1e-6)
  sooner:cancel()
  lu.assertAlmostEquals(loop:next_deadline(), at, 1e-6)
  late:cancel()
  lu.assertNil(loop:next_deadline())
  local h = loop:call_soon(print)
  lu.assertTrue(loop:next_deadline() <= loop:time())
  h:cancel()
end

-- A loop inside another one: the outer waits for the descriptor or the deadline of the inner.
function T.TestStep.test_streams_in_a_stepped_loop()
  local got
  loop:create_task(function()
    local server <close> = aio.start_server(function(conn)
      conn:write(conn:read "l", "!\n")
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    conn:write "hello\n"
    got = conn:read "l"
  end)
  while #aio.all_tasks(loop) > 0 do loop:step(0.002) end
  lu.assertEquals(got, "hello!")
end

function T.TestStep.test_close_with_work_pending()
  local task = loop:create_task(aio.sleep, 3600)
  local reports = {}
  loop:set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx.kind end)
  loop:step()
  loop:close()
  lu.assertTrue(task:cancelled())
  lu.assertEquals(reports, { "unclosed" })
end

return T
