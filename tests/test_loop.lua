-- SPDX-License-Identifier: MIT
-- Loops, callbacks, runners, the exception handler, factories, error objects and groups.

local lu = require "luaunit"
local aio = require "aio"

local T = {}

function T.test_current_loop()
  local loop = aio.new_event_loop()
  aio.set_event_loop(loop)
  lu.assertIs(aio.get_event_loop(), loop)
  aio.set_event_loop(nil)
  local other = aio.get_event_loop()
  lu.assertNotIs(other, loop)
  lu.assertIs(aio.get_event_loop(), other)
  aio.run(function()
    lu.assertNotIs(aio.get_event_loop(), other)
    lu.assertIs(aio.get_event_loop(), aio.get_running_loop())
  end)
  lu.assertIs(aio.get_event_loop(), other)
  lu.assertEquals(other:run_until_complete(function() return 5 end), 5)
  other:close()
  loop:close()
  aio.set_event_loop(nil)
end

function T.test_callbacks_and_handles()
  local loop <close> = aio.new_event_loop()
  local seen = {}
  local function note(...) seen[#seen + 1] = table.pack(...) end
  loop:call_later(0.001, note, "later")
  local now = loop:time()
  local later = loop:call_at(now + 0.2, note, "at")
  loop:call_soon(note)
  loop:call_soon_threadsafe(note, 1, nil, 3)
  local dropped = loop:call_soon(note, "dropped")
  dropped:cancel()
  dropped:cancel()
  lu.assertTrue(dropped:cancelled())
  lu.assertNil(dropped:when())
  lu.assertEquals(later:when(), now + 0.2)
  loop:call_at(now + 0.2, loop.stop, loop)
  loop:run_forever()
  lu.assertEquals(seen, { { n = 0 }, { 1, nil, 3, n = 3 }, { "later", n = 1 }, { "at", n = 1 } })
  lu.assertTrue(loop:time() >= now + 0.2)
end

function T.test_timers_at_the_same_time_keep_their_order()
  local loop <close> = aio.new_event_loop()
  local seen, at = {}, loop:time() + 0.001
  for i = 1, 200 do loop:call_at(at, function() seen[#seen + 1] = i end) end
  loop:call_at(at, loop.stop, loop)
  loop:run_forever()
  for i = 1, 200 do lu.assertEquals(seen[i], i) end
end

function T.test_random_timers_fire_in_order_and_cancelled_ones_do_not()
  local loop <close> = aio.new_event_loop()
  local last, fired, random = 0, 0, 1
  local start, handles = loop:time(), {}
  for i = 1, 1000 do
    random = random * 1103515245 % 2147483648
    local when = start + random % 1000 / 1e6
    handles[i] = loop:call_at(when, function()
      lu.assertTrue(when >= last)
      last = when
      fired = fired + 1
    end)
  end
  for i = 1, 1000, 3 do handles[i]:cancel() end
  loop:call_later(0.002, loop.stop, loop)
  loop:run_forever()
  lu.assertEquals(fired, 1000 - 334)
end

function T.test_exception_handler()
  local loop <close> = aio.new_event_loop()
  lu.assertNil(loop:get_exception_handler())
  local seen = {}
  local function handler(l, ctx) seen[#seen + 1] = { l, ctx } end
  loop:set_exception_handler(handler)
  lu.assertIs(loop:get_exception_handler(), handler)
  loop:call_soon(error, "in a callback")
  loop:call_soon(loop.stop, loop)
  loop:run_forever()
  lu.assertIs(seen[1][1], loop)
  lu.assertEquals(seen[1][2].kind, "callback_error")
  lu.assertStrContains(seen[1][2].exception, "in a callback")
  lu.assertNotNil(seen[1][2].handle)
  loop:call_exception_handler { message = "by hand" }
  lu.assertEquals(seen[2][2].message, "by hand")
end

local function stderr_of(fn)
  local real, text = io.stderr, {}
  -- luacheck: push ignore 122
  io.stderr = { write = function(_, ...) text[#text + 1] = table.concat { ... } end }
  fn()
  io.stderr = real
  -- luacheck: pop
  return table.concat(text)
end

function T.test_a_failing_handler_is_told_on_stderr()
  local loop <close> = aio.new_event_loop()
  loop:set_exception_handler(function() error("handler broke", 0) end)
  local text = stderr_of(function()
    loop:call_exception_handler { message = "original", exception = aio.Error "cause" }
  end)
  lu.assertStrContains(text, "handler broke")
  lu.assertStrContains(text, "original")
  lu.assertStrContains(text, "cause")
  loop:set_exception_handler(nil)
  lu.assertStrContains(stderr_of(function() loop:default_exception_handler { message = "m" } end),
    "aio: m")
end

function T.test_fatal_errors_leave_run_unwrapped()
  local exit = aio.SystemExit(3)
  lu.assertIs(select(2, pcall(aio.run, function() error(exit) end)), exit)
  local cleaned
  local _, err = pcall(aio.run, function()
    aio.create_task(function() error(exit) end)
    local _ <close> = aio.defer(function() cleaned = true end)
    aio.sleep(60)
  end)
  lu.assertIs(err, exit)
  lu.assertTrue(cleaned)
  _, err = pcall(aio.run, function()
    aio.get_running_loop():call_soon(error, exit)
    aio.sleep(60)
  end)
  lu.assertIs(err, exit)
end

function T.test_run_returns_all_results_and_passes_arguments()
  lu.assertEquals({ aio.run(function(...) return ... end, 1, nil, 3) }, { 1, nil, 3 })
  lu.assertEquals(aio.run_with({ debug = true }, function()
    return aio.get_running_loop():get_debug()
  end), true)
end

function T.test_runner()
  local made = 0
  local runner <close> = aio.Runner { loop_factory = function()
    made = made + 1
    return aio.new_event_loop()
  end }
  lu.assertEquals(runner:run(function() return 1 end), 1)
  lu.assertErrorMsgContains("x", runner.run, runner, error, "x")
  local loop = runner:get_loop()
  runner:close()
  lu.assertTrue(loop:is_closed())
  lu.assertEquals(made, 1)
end

function T.test_debug_flag_and_slow_callback_duration()
  local loop <close> = aio.new_event_loop()
  lu.assertEquals(loop.slow_callback_duration, 0.1)
  loop.slow_callback_duration = 0.5
  lu.assertEquals(loop.slow_callback_duration, 0.5)
  loop:set_debug(true)
  lu.assertTrue(loop:get_debug())
  lu.assertFalse(loop:is_running())
end

function T.test_factories()
  aio.run(function()
    local loop = aio.get_running_loop()
    lu.assertNil(loop:get_task_factory())
    local made = 0
    loop:set_task_factory(function(l, opts, fn, ...)
      made = made + 1
      return aio.Task(l, opts, fn, ...)
    end)
    lu.assertEquals({ aio.gather(function() return 1 end, function() return 2 end) }, { 1, 2 })
    lu.assertEquals(aio.create_task(function(x) return x end, 5):await(), 5)
    lu.assertEquals(made, 3)
    loop:set_task_factory(function() return 5 end)
    lu.assertErrorMsgContains("returned number", aio.create_task, print)
    loop:set_task_factory(function() aio.sleep(0) end)
    lu.assertErrorMsgContains("aio.atomic", aio.create_task, print)
    loop:set_task_factory(aio.eager_task_factory)
    local t = aio.create_task(function() return aio.current_task():get_name() end)
    lu.assertTrue(t:done())
    loop:set_task_factory(aio.create_eager_task_factory(function(...)
      made = made + 1
      return aio.Task(...)
    end))
    lu.assertTrue(aio.create_task(function() end):done())
    lu.assertEquals(made, 4)
    lu.assertErrorMsgContains("function expected, got number", aio.create_eager_task_factory, 1)
    loop:set_task_factory(nil)
    t = aio.create_task_with({ name = "n", eager_start = true }, function(x)
      aio.sleep(0)
      return x
    end, 1)
    lu.assertEquals(t:get_name(), "n")
    lu.assertEquals(t:await(), 1)
    t = loop:create_task_with({ name = "m" }, print)
    t:cancel()
    lu.assertFalse((pcall(t.await, t)))
  end)
end

function T.test_eager_starts_are_bounded_in_depth()
  aio.run(function()
    local deepest, depth = 0, 0
    local function nest(n)
      depth = depth + 1
      deepest = math.max(deepest, depth)
      local t = n > 0 and aio.create_task_with({ eager_start = true }, nest, n - 1)
      depth = depth - 1
      if t then t:await() end
    end
    nest(150)
    lu.assertTrue(deepest <= 34)
  end)
end

function T.test_error_objects()
  local Mine = aio.Error:extend "Mine"
  local Below = Mine:extend "Below"
  local err = Below("text", { code = 5 })
  lu.assertEquals({ err.name, err.message, err.code }, { "Below", "text", 5 })
  lu.assertEquals(tostring(err), "Below: text")
  lu.assertEquals(tostring(Below()), "Below")
  lu.assertTrue(aio.is(err, Mine))
  lu.assertTrue(aio.is(err, aio.OSError, aio.Error))
  lu.assertFalse(aio.is(err, aio.OSError))
  lu.assertFalse(aio.is("text", aio.Error))
  lu.assertFalse(aio.is(setmetatable({}, {}), aio.BaseError))
  lu.assertFalse(aio.is(aio.CancelledError(), aio.Error))
  lu.assertTrue(aio.is(aio.BrokenBarrierError(), aio.RuntimeError))
  lu.assertEquals(aio.SystemExit(3).code, 3)
end

function T.test_groups()
  local os, timeout = aio.OSError "o", aio.TimeoutError "t"
  aio.run(function()
    local _, group = pcall(aio.TaskGroup, function(tg)
      tg:create_task(error, os)
      tg:create_task(function()
        local inner <close> = aio.TaskGroup()
        inner:create_task(error, timeout)
      end)
    end)
    lu.assertTrue(aio.is(group, aio.ExceptionGroup))
    lu.assertEquals(#group.errors, 2)
    lu.assertStrContains(tostring(group), "OSError: o")
    local yes, no = group:split(aio.TimeoutError)
    lu.assertIs(yes.errors[1].errors[1], timeout)
    lu.assertEquals(#no.errors, 1)
    lu.assertNil(group:subgroup(aio.LookupError))
    local ok, mine = aio.catch_group({ aio.OSError, aio.TimeoutError }, error, group)
    lu.assertFalse(ok)
    lu.assertEquals(#mine.errors, 2)
    local _, rest = pcall(aio.catch_group, aio.OSError, error, group)
    lu.assertEquals(#rest.errors, 1)
    lu.assertEquals({ aio.catch_group(aio.Error, function() return 1 end) }, { true, 1 })
  end)
end

function T.test_a_group_that_is_split_keeps_the_tracebacks()
  local _, group = pcall(aio.run, function()
    local group <close> = aio.TaskGroup()
    group:create_task(function() error(aio.TimeoutError "late") end)
    group:create_task(function() error "plain" end)
  end)
  lu.assertNil(group.tracebacks[1])
  local late, rest = group:split(aio.TimeoutError)
  lu.assertNil(late.tracebacks)
  lu.assertStrContains(rest.errors[1], "plain")
  lu.assertEquals(rest.tracebacks, { group.tracebacks[2] })
  lu.assertStrContains(rest.tracebacks[1], "test_loop.lua:")
end

function T.test_a_group_is_made_of_a_list_or_of_fields()
  local o = aio.OSError "o"
  for _, class in ipairs { aio.ExceptionGroup, aio.BaseExceptionGroup,
    aio.ExceptionGroup:extend "MyGroup" } do
    lu.assertEquals(class("m", { o, "text" }).errors, { o, "text" })
    lu.assertEquals(class("m", { errors = { o } }).errors, { o })
    lu.assertStrContains(tostring(class("m", { o })), "m (1 error)\n  1: OSError: o")
  end
  lu.assertEquals(aio.ExceptionGroup("m").message, "m")
  local ok, group = aio.catch_group(aio.OSError, error, aio.ExceptionGroup("m", { o }))
  lu.assertFalse(ok)
  lu.assertIs(group.errors[1], o)
end

function T.test_base_groups_are_taken_apart_too()
  local interrupt, plain = aio.KeyboardInterrupt(), aio.Error "plain"
  local group = aio.BaseExceptionGroup("both", { interrupt, plain })
  local yes, no = group:split(aio.KeyboardInterrupt)
  lu.assertEquals({ yes.errors, no.errors }, { { interrupt }, { plain } })
  lu.assertEquals(group:subgroup(aio.Error).errors, { plain })
end

function T.test_a_future_knows_its_loop()
  aio.run(function() lu.assertIs(aio.Future():get_loop(), aio.get_running_loop()) end)
end

function T.test_a_group_with_a_base_error_passes_pcall()
  local GroupStop = aio.BaseError:extend "GroupStop"
  aio.run(function()
    local _, err = pcall(aio.TaskGroup, function(tg) tg:create_task(error, GroupStop "x") end)
    lu.assertTrue(aio.is(err, aio.BaseExceptionGroup))
    lu.assertFalse((pcall(aio.pcall, error, err)))
  end)
end

function T.test_task_groups()
  aio.run(function()
    lu.assertEquals({ aio.TaskGroup(function(tg)
      tg:create_task_with({ name = "child" }, aio.sleep, 0)
      return 1, 2
    end) }, { 1, 2 })
    local reports = 0
    aio.get_running_loop():set_exception_handler(function() reports = reports + 1 end)
    local sibling
    do
      local tg <close> = aio.TaskGroup { supervise = true }
      tg:create_task(error, "x")
      sibling = tg:create_task(aio.sleep, 0.001, "lived")
    end
    lu.assertEquals({ reports, sibling:result() }, { 1, "lived" })
    local tg = aio.TaskGroup()
    lu.assertEquals(tg:run(function() return "results" end), "results")
    local reached
    aio.TaskGroup(function(group)
      group:create_task(function() group:cancel() end)
      aio.sleep(60)
      reached = true
    end)
    lu.assertNil(reached)
    lu.assertEquals(aio.current_task():cancelling(), 0)
  end)
end

function T.test_timeouts()
  aio.run(function()
    lu.assertEquals({ aio.timeout(60, function(...) return ... end, 1, 2) }, { 1, 2 })
    lu.assertEquals({ aio.timeout(nil, aio.sleep, 0, "x") }, { "x" })
    local now = aio.get_running_loop():time()
    lu.assertErrorMsgContains("TimeoutError", aio.timeout_at, now, aio.sleep, 60)
    local scope = aio.timeout_at(now + 60)
    lu.assertEquals(scope:when(), now + 60)
    scope:reschedule(nil)
    lu.assertNil(scope:when())
    lu.assertEquals(scope:run(function() return "ran" end), "ran")
    lu.assertFalse(scope:expired())
    lu.assertEquals(aio.wait_for(function() return 7 end, 60), 7)
    lu.assertEquals(aio.wait_for(aio.create_task(aio.sleep, 0, 8), nil), 8)
    lu.assertErrorMsgContains("TimeoutError", aio.wait_for, aio.create_task(aio.sleep, 60), 0.001)
    lu.assertErrorMsgContains("TimeoutError", aio.wait_for, aio.create_task(aio.sleep, 60), 0)
  end)
end

-- A loop that was stopped while a task with this `__close` handler waits in it; and that task.
local function with_handler(handler)
  local loop = aio.new_event_loop()
  loop:set_exception_handler(function() end)
  local task = loop:create_task(function()
    local _ <close> = setmetatable({}, { __close = handler })
    aio.sleep(60)
  end)
  loop:call_soon(loop.stop, loop)
  loop:run_forever()
  return loop, task
end

function T.test_a_handler_closes_the_loop_that_is_being_closed()
  local loop, seen
  loop = with_handler(function() seen = table.pack(pcall(loop.close, loop)) end)
  loop:close()
  lu.assertEquals(seen, { true, n = 1 })
  lu.assertTrue(loop:is_closed())
end

function T.test_a_handler_closes_the_loop_while_its_thread_is_closed()
  local loop, task, depth
  local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
  loop, task = with_handler(function()
    loop:close()
    depth = deep(1000)
  end)
  lu.assertTrue(coroutine.close(task:get_coro()))
  lu.assertEquals(depth, 1000)
  lu.assertTrue(loop:is_closed())
end

function T.test_a_handler_cannot_run_the_loop_that_is_being_closed()
  local loop, task, cancelled, errors
  loop, task = with_handler(function()
    cancelled = task:cancel()
    errors = { select(2, pcall(loop.step, loop)), select(2, pcall(loop.run_forever, loop)) }
  end)
  loop:close()
  lu.assertTrue(cancelled)
  for i = 1, 2 do lu.assertEquals(errors[i].message, "this loop is being closed") end
end

function T.test_what_a_handler_schedules_goes_with_the_loop()
  local weak = setmetatable({}, { __mode = "k" })
  for _, schedule in ipairs { "call_soon", "call_later" } do
    local loop
    loop = with_handler(function()
      loop[schedule](loop, schedule == "call_later" and 1 or print, print)
    end)
    loop:close()
    weak[loop] = schedule
  end
  for _ = 1, 2 do collectgarbage() end
  lu.assertNil(next(weak))
end

function T.test_what_ends_after_its_loop_does_not_hold_it()
  local weak = setmetatable({}, { __mode = "k" })
  for _, ending in ipairs { "cancel", "set_result", "set_exception" } do
    local loop = aio.new_event_loop()
    local future = loop:create_future()
    future:add_done_callback(function() weak.called = true end)
    loop:close()
    weak[loop] = ending
    future[ending](future, ending)
    lu.assertTrue(future:done())
    pcall(future.result, future) -- the error has been seen
  end
  for _ = 1, 2 do collectgarbage() end
  lu.assertNil(next(weak))
end

function T.test_run_until_complete_of_another_loops_future()
  local one <close> = aio.new_event_loop()
  local other <close> = aio.new_event_loop()
  local ok, err = pcall(one.run_until_complete, one, other:create_future())
  lu.assertFalse(ok)
  lu.assertStrContains(err, "belongs to another loop")
end

return T
