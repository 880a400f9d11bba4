-- SPDX-License-Identifier: MIT
-- Tasks and futures: outcomes, names, cancelling, reuse of coroutines, what happens when somebody
-- else resumes or closes a task's thread.

local lu = require "luaunit"
local aio = require "aio"
local core = require "aio.core"

local T = {}

local function finished(fn, ...)
  local t = aio.create_task(fn, ...)
  pcall(t.await, t)
  return t
end

function T.test_results_of_all_counts_reach_the_waiter()
  aio.run(function()
    lu.assertEquals(select("#", finished(function() end):await()), 0)
    lu.assertEquals(select("#", finished(function() return nil end):await()), 1)
    local t = finished(function() return 1, nil, 3, nil end)
    lu.assertEquals(select("#", t:await()), 4)
    lu.assertEquals({ t:result() }, { 1, nil, 3 })
  end)
end

function T.test_a_future_is_wrapped_already()
  aio.run(function()
    local f = aio.Future()
    lu.assertIs(aio.wrap_future(f), f)
    lu.assertErrorMsgContains("future expected, got number", aio.wrap_future, 1)
  end)
end

function T.test_what_is_not_there_is_nil()
  aio.run(function()
    local values
    local handle = aio.get_running_loop():call_soon(function()
      values = select("#", aio.current_task())
    end)
    aio.sleep(0)
    lu.assertEquals(values, 1)
    lu.assertEquals(select("#", handle:when()), 1)
    lu.assertEquals(select("#", finished(function() end):get_coro()), 1)
  end)
end

function T.test_arguments_of_all_counts_reach_the_body()
  aio.run(function()
    for n = 0, 5 do
      local args = table.pack(table.unpack({ 1, nil, 3, nil, nil }, 1, n))
      local got = aio.create_task(table.pack, table.unpack(args, 1, n)):await()
      lu.assertEquals(got, args)
    end
  end)
end

function T.test_error_values_keep_their_identity()
  aio.run(function()
    local value = {}
    local t = finished(error, value)
    local _, err = pcall(t.await, t)
    lu.assertIs(err, value)
    lu.assertIs(t:exception(), value)
    lu.assertIs(select(2, pcall(t.result, t)), value)
  end)
end

function T.test_raised_nil_becomes_an_error()
  aio.run(function()
    local err = finished(error, nil):exception()
    lu.assertTrue(aio.is(err, aio.RuntimeError))
    lu.assertEquals(err.message, "nil raised")
  end)
end

function T.test_an_error_has_a_traceback_of_its_task()
  aio.run(function()
    local function culprit() error(aio.Error "x") end
    local err = finished(culprit):exception()
    lu.assertStrContains(err.traceback, "test_task.lua:" .. debug.getinfo(culprit, "S").linedefined)
  end)
end

function T.test_names()
  aio.run(function()
    local t = aio.create_task(function() end)
    lu.assertStrMatches(t:get_name(), "Task%-%d+")
    t:set_name(setmetatable({}, { __tostring = function() return "by tostring" end }))
    lu.assertEquals(t:get_name(), "by tostring")
    lu.assertErrorMsgContains("cannot wait inside aio.atomic", t.set_name, t,
      setmetatable({}, { __tostring = function() aio.sleep(0) end }))
    lu.assertEquals(t:get_name(), "by tostring")
    t:await()
  end)
end

function T.test_cancel_leaves_the_message_and_the_count()
  aio.run(function()
    local me = aio.current_task()
    local t = aio.create_task(aio.sleep, 60)
    aio.sleep(0)
    lu.assertTrue(t:cancel "why")
    lu.assertEquals(t:cancelling(), 1)
    local _, err = pcall(t.await, t)
    lu.assertTrue(aio.is(err, aio.CancelledError))
    lu.assertEquals(err.message, "why")
    lu.assertTrue(t:cancelled())
    lu.assertFalse(t:cancel())
    lu.assertEquals(me:cancelling(), 0)
  end)
end

function T.test_a_ring_of_awaits_can_be_cancelled()
  aio.run(function()
    local a, b
    a = aio.create_task(function() b:await() end)
    b = aio.create_task(function() a:await() end)
    aio.sleep(0)
    a:cancel()
    lu.assertFalse((pcall(a.await, a)))
    lu.assertTrue(a:cancelled() and b:cancelled())
  end)
end

function T.test_a_long_chain_of_awaits_is_cancelled_from_the_outside()
  aio.run(function()
    local function link(n)
      if n == 0 then return aio.sleep(60) end
      return aio.create_task(link, n - 1):await()
    end
    local t = aio.create_task(link, 5000)
    for _ = 1, 5002 do aio.sleep(0) end
    t:cancel()
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    lu.assertEquals(#aio.all_tasks(), 1)
  end)
end

function T.test_a_thread_that_nobody_holds_is_reused()
  aio.run(function()
    local seen = {}
    for _ = 1, 100 do finished(function() end) end
    lu.assertTrue(core.stats().threads_pooled >= 1)
    local function who() seen[#seen + 1] = coroutine.running() end
    for _ = 1, 10 do finished(who) end
    local different = {}
    for _, co in ipairs(seen) do
      lu.assertNil(different[co], "a thread that was handed out ran another task")
      different[co] = true
    end
  end)
end

function T.test_a_thread_with_a_hook_is_not_reused()
  aio.run(function()
    local calls = 0
    finished(function() debug.sethook(function() calls = calls + 1 end, "c") end)
    local before = calls
    for _ = 1, 5 do finished(function() math.abs(1) end) end
    lu.assertEquals(calls, before)
  end)
end

function T.test_a_foreign_resume_does_not_wake()
  aio.run(function()
    local co, woken
    local t = aio.create_task(function()
      co = coroutine.running()
      aio.sleep(0.005)
      woken = true
      return "slept"
    end)
    aio.sleep(0)
    for _ = 1, 3 do
      lu.assertTrue(coroutine.resume(co))
      lu.assertNil(woken)
    end
    lu.assertEquals(t:await(), "slept")
  end)
end

function T.test_what_a_foreign_resume_passes_is_dropped()
  local a, b = nil, nil
  local waits = {
    { function() return aio.sleep(0.001, "x") end, "x" },
    { function() return a:readuntil "\n" end, "line\n" },
    { function() return #aio.getaddrinfo("127.0.0.1", 80) > 0 end, true },
    { function()
      local lock = aio.Lock()
      lock:acquire()
      aio.get_running_loop():call_soon(lock.release, lock)
      return lock:with(function(...) return select("#", ...) end, 1, 2)
    end, 2 },
  }
  aio.run(function()
    a, b = require "aio.pair".stream_pair()
    for _, case in ipairs(waits) do
      local t = aio.create_task(case[1])
      aio.sleep(0)
      lu.assertTrue(coroutine.resume(t:get_coro(), {}, 2, 3))
      if case[2] == "line\n" then b:write "line\n" end
      lu.assertEquals(table.pack(t:await()), { case[2], n = 1 })
    end
    a:close()
    b:close()
  end)
end

local function waits_on()
  local event = aio.Future()
  return {
    sleep = function() aio.sleep(60) end,
    future = function() event:await() end,
    gather = function() aio.gather(function() aio.sleep(0.001) end) end,
    task = function() aio.create_task(aio.sleep, 0.001):await() end,
    lookup = function() aio.getaddrinfo("127.0.0.1", 80) end,
  }
end

function T.test_a_thread_that_somebody_closes_fails_only_its_task()
  aio.run(function()
    for what, wait in pairs(waits_on()) do
      local co, closed
      local t = aio.create_task(function()
        co = coroutine.running()
        local _ <close> = aio.defer(function() closed = true end)
        wait()
      end)
      aio.sleep(0)
      coroutine.close(co)
      lu.assertTrue(closed)
      co = nil -- luacheck: ignore
      collectgarbage()
      t:cancel()
      lu.assertFalse(pcall(t.await, t), what)
      lu.assertTrue(t:done(), what)
    end
  end)
end

function T.test_yield_in_a_task_raises_at_that_line()
  aio.run(function()
    local t = finished(function()
      coroutine.yield() -- here
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    lu.assertStrContains(tostring(t:exception()), "test_task.lua:" .. line)
    lu.assertTrue(aio.is(finished(coroutine.yield):exception(), aio.RuntimeError))
    -- and it can be caught there
    lu.assertEquals(finished(function()
      pcall(function()
        coroutine.yield()
        return 1
      end)
      return "alive"
    end):result(), "alive")
  end)
end

function T.test_create_task_with_a_fresh_thread()
  aio.run(function()
    local co = coroutine.create(function(...) return "ran", ... end)
    lu.assertTrue(aio.iscoroutine(co))
    lu.assertEquals({ aio.create_task(co, 1, 2):await() }, { "ran", 1, 2 })
    lu.assertFalse(aio.iscoroutine(co))
    lu.assertErrorMsgContains("did you call it?", aio.create_task, co)
  end)
end

function T.test_callbacks_of_futures()
  aio.run(function()
    local f, seen = aio.Future(), {}
    local function one(x) seen[#seen + 1] = { 1, x } end
    local function two(x) seen[#seen + 1] = { 2, x } end
    f:add_done_callback(one)
    f:add_done_callback(two)
    f:add_done_callback(one)
    lu.assertEquals(f:remove_done_callback(one), 2)
    f:set_result(5)
    f:add_done_callback(one)
    lu.assertEquals(#seen, 0)
    aio.sleep(0)
    lu.assertEquals(#seen, 2)
    lu.assertEquals({ seen[1][1], seen[2][1] }, { 2, 1 })
    lu.assertIs(seen[1][2], f)
  end)
end

function T.test_a_future_that_is_dropped_with_callbacks_is_collected()
  aio.run(function()
    local watch = setmetatable({}, { __mode = "k" })
    do
      local f = aio.Future()
      f:add_done_callback(function() end)
      watch[f] = true
    end
    collectgarbage()
    collectgarbage()
    lu.assertNil(next(watch))
  end)
end

function T.test_callbacks_run_when_the_future_is_dropped_after_completion()
  aio.run(function()
    local ran = 0
    for _ = 1, 50 do
      local f = aio.Future()
      f:add_done_callback(function() ran = ran + 1 end)
      f:set_result()
    end
    collectgarbage()
    collectgarbage()
    aio.sleep(0)
    lu.assertEquals(ran, 50)
  end)
end

function T.test_a_failed_task_is_reported_once_when_it_is_collected()
  local reports = {}
  aio.run(function()
    local loop = aio.get_running_loop()
    loop:set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    aio.create_task(error, aio.Error "lost")
    local kept = aio.create_task(error, aio.Error "seen")
    aio.sleep(0)
    kept:exception()
    kept = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    aio.sleep(0)
    lu.assertEquals(#reports, 1)
  end)
  collectgarbage()
  lu.assertEquals(#reports, 1)
  lu.assertEquals(reports[1].kind, "never_retrieved")
  lu.assertEquals(reports[1].exception.message, "lost")
end

function T.test_closing_a_loop_reports_what_nobody_looked_at()
  local reports = {}
  local loop = aio.new_event_loop()
  loop:set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx.kind end)
  loop:create_task(error, "lost")
  local pending = loop:create_task(aio.sleep, 60)
  loop:call_soon(loop.stop, loop)
  loop:run_forever()
  loop:close()
  table.sort(reports)
  lu.assertEquals(reports, { "never_retrieved", "unclosed" })
  lu.assertTrue(pending:cancelled())
end

function T.test_await_of_another_loops_future()
  local other = aio.new_event_loop()
  local f = other:create_future()
  aio.run(function() lu.assertErrorMsgContains("another loop", f.await, f) end)
  other:close()
end

function T.test_awaitable_by_metamethod()
  aio.run(function()
    local x = setmetatable({}, { __await = function(self) aio.sleep(0) return self, 2 end })
    local a, b = aio.await(x)
    lu.assertIs(a, x)
    lu.assertEquals(b, 2)
    lu.assertIs((aio.gather(x)), x)
  end)
end

function T.test_async_functions_are_unwrapped()
  aio.run(function()
    local get = aio.async(function(x) return x end)
    lu.assertEquals({ aio.gather(get(1), get(2)) }, { 1, 2 })
    lu.assertEquals(aio.gather(get), nil)
    lu.assertFalse(aio.isfuture((aio.gather(get))))
  end)
end

-- What a block ends with that a task is tied to, whose cleanup waits and then calls `cleanup`.
local function tied(cleanup, body)
  return aio.pcall(function()
    local _ <close> = aio.create_task(function()
      local _ <close> = aio.defer(function()
        aio.sleep(0)
        cleanup()
      end)
      aio.Event():wait()
    end)
    aio.sleep(0)
    body()
  end)
end

function T.test_a_block_ends_after_its_task()
  aio.run(function()
    local ended = false
    lu.assertTrue(tied(function() ended = true end, function() lu.assertFalse(ended) end))
    lu.assertTrue(ended)
  end)
end

function T.test_a_block_fails_with_its_task_unless_it_failed_itself()
  local reports = {}
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      reports[#reports + 1] = ctx.exception
    end)
    local function fail() error("task", 0) end
    lu.assertEquals({ tied(fail, function() end) }, { false, "task" })
    lu.assertEquals({ tied(fail, function() error("block", 0) end) }, { false, "block" })
  end)
  lu.assertEquals(reports, { "task" }) -- what the block's own error hid
end

function T.test_a_cancel_at_the_end_of_a_block_comes_after_its_task()
  aio.run(function()
    local ended = false
    local outer = aio.create_task(function()
      local _ <close> = aio.create_task(function()
        local _ <close> = aio.defer(function()
          for _ = 1, 4 do aio.sleep(0) end
          ended = true
        end)
        aio.Event():wait()
      end)
      aio.sleep(0)
    end)
    for _ = 1, 3 do aio.sleep(0) end
    outer:cancel()
    aio.wait { outer }
    lu.assertTrue(outer:cancelled())
    lu.assertTrue(ended)
  end)
end

function T.test_a_task_cannot_be_closed_by_itself()
  aio.run(function()
    lu.assertErrorMsgContains("its own end", function()
      local _ <close> = aio.current_task()
    end)
  end)
end

function T.test_tostring()
  local function is(x, text) lu.assertStrMatches(tostring(x), text) end
  aio.run(function()
    local me, future = aio.current_task(), aio.Future()
    is(me, "Task: 0?x?%x+ %(Task%-%d+, running%)")
    is(future, "Future: 0?x?%x+ %(pending%)")
    local task = aio.create_task_with({ name = "sleeper" }, future.await, future)
    is(task, "Task: .* %(sleeper, not started%)")
    aio.sleep(0)
    is(task, "Task: .* %(sleeper, waiting%)")
    future:set_result()
    is(future, "Future: .* %(done%)")
    is(task, "Task: .* %(sleeper, ready%)")
    task:await()
    is(task, "Task: .* %(sleeper, done%)")
    local failed, cancelled = aio.create_task(error, "x"), aio.create_task(aio.sleep, 60)
    cancelled:cancel()
    aio.wait { failed, cancelled }
    is(failed, "Task: .*, failed%)")
    is(cancelled, "Task: .*, cancelled%)")
    lu.assertNotNil(failed:exception())
    local broken = aio.Future()
    broken:cancel()
    is(broken, "Future: .* %(cancelled%)")
  end)
end

return T
