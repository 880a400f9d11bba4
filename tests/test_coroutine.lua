-- SPDX-License-Identifier: MIT
-- aio.coroutine: waits pass through to the task, all else is as in Lua's own table.

local aio = require "aio"
local lu = require "luaunit"

local co = aio.coroutine
local T = {}

-- Both tables must behave alike where nothing waits, in a task and outside of one.
local function alike(body)
  lu.assertEquals(table.pack(body(co)), table.pack(body(coroutine)))
  aio.run(function()
    lu.assertEquals(table.pack(body(co)), table.pack(body(coroutine)))
  end)
end

-- Lets other tasks run while `fn` waits: how many turns they had is the result.
local function with_ticker(fn)
  return aio.run(function()
    local ticks = 0
    local ticker = aio.create_task(function()
      while true do
        aio.sleep(0)
        ticks = ticks + 1
      end
    end)
    fn()
    ticker:cancel()
    return ticks
  end)
end

T.TestPlain = {}

function T.TestPlain.test_names()
  for name in pairs(coroutine) do lu.assertIsFunction(co[name], name) end
end

function T.TestPlain.test_values()
  alike(function(c)
    local t = c.create(function(a, b)
      local x, y = c.yield(a + b)
      local z = c.yield(x, nil, y)
      return z, "end"
    end)
    local log = {}
    local function note(...) log[#log + 1] = table.pack(...) end
    note(c.status(t))
    note(c.resume(t, 1, 2))
    note(c.status(t))
    note(c.resume(t, "x", "y"))
    note(c.resume(t, "z"))
    note(c.status(t))
    note(c.resume(t))
    note(c.resume(t))
    return log
  end)
end

function T.TestPlain.test_errors()
  alike(function(c)
    local object = { "error object" }
    local t = c.create(function() error(object) end)
    local ok, err = c.resume(t)
    local w = c.wrap(function() error("in body", 0) end)
    local u = c.wrap(function() error(object) end)
    local dead = c.wrap(function() end)
    dead()
    local results = { ok, rawequal(err, object), c.status(t) }
    results[#results + 1] = table.pack(pcall(w))
    results[#results + 1] = table.pack(pcall(w))
    results[#results + 1] = select(2, pcall(u)) == object
    results[#results + 1] = table.pack(pcall(dead))
    return results
  end)
end

function T.TestPlain.test_arguments()
  alike(function(c)
    local log = {}
    local function note(fn) log[#log + 1] = select(2, pcall(fn)):gsub("^.-:%d+: ", "") end
    note(function() c.create(1) end)
    note(function() c.wrap() end)
    note(function() c.resume("x") end)
    note(function() c.status({}) end)
    note(function() c.close() end)
    return log
  end)
end

function T.TestPlain.test_running_and_status_inside()
  alike(function(c)
    local outer = c.running()
    local t, seen
    t = c.create(function()
      local inner, main = c.running()
      seen = { inner == t, main, c.status(t), c.status(outer), c.isyieldable() }
      seen[#seen + 1] = table.pack(c.resume(t))
      seen[#seen + 1] = table.pack(c.resume(outer))
    end)
    c.resume(t)
    return seen
  end)
end

function T.TestPlain.test_isyieldable_of_a_thread()
  local t = co.create(function() end)
  lu.assertEquals(co.isyieldable(t), coroutine.isyieldable(coroutine.create(function() end)))
end

function T.TestPlain.test_close()
  alike(function(c)
    local log = {}
    local t = c.create(function()
      local function note(_, e) log[#log + 1] = tostring(e) end
      local _ <close> = setmetatable({}, { __close = note })
      c.yield()
    end)
    c.resume(t)
    log[#log + 1] = table.pack(c.close(t))
    log[#log + 1] = c.status(t)
    local bad = c.create(function()
      local _ <close> = setmetatable({}, { __close = function() error("closing", 0) end })
      c.yield()
    end)
    c.resume(bad)
    log[#log + 1] = table.pack(c.close(bad))
    local outer = c.create(function(self)
      log[#log + 1] = select(2, pcall(c.close, self)):gsub("^.-:%d+: ", "")
    end)
    c.resume(outer, outer)
    return log
  end)
end

function T.TestPlain.test_many_values()
  alike(function(c)
    local t = c.wrap(function(...)
      while true do c.yield(select("#", ...), ...) end
    end)
    local results = table.pack(t(table.unpack({}, 1, 200)))
    return results.n, results[1]
  end)
end

function T.TestPlain.test_both_tables_mix()
  local a = co.create(function(x) return coroutine.yield(x) + 1 end)
  lu.assertEquals({ coroutine.resume(a, 5) }, { true, 5 })
  lu.assertEquals({ co.resume(a, 7) }, { true, 8 })
  local b = coroutine.create(function(x) return co.yield(x) + 1 end)
  lu.assertEquals({ co.resume(b, 5) }, { true, 5 })
  lu.assertEquals({ coroutine.resume(b, 7) }, { true, 8 })
end

T.TestWait = {}

function T.TestWait.test_resume()
  local ticks = with_ticker(function()
    local t = co.create(function(a)
      lu.assertEquals(aio.sleep(0, "slept"), "slept")
      local b = co.yield(a)
      aio.sleep(0)
      return b
    end)
    lu.assertEquals({ co.resume(t, 1) }, { true, 1 })
    lu.assertEquals(co.status(t), "suspended")
    lu.assertEquals({ co.resume(t, 2) }, { true, 2 })
    lu.assertEquals(co.status(t), "dead")
  end)
  lu.assertTrue(ticks >= 1)
end

function T.TestWait.test_wrap()
  local ticks = with_ticker(function()
    local values = {}
    for v in co.wrap(function()
      for i = 1, 3 do
        aio.sleep(0)
        co.yield(i)
      end
    end) do
      values[#values + 1] = v
    end
    lu.assertEquals(values, { 1, 2, 3 })
  end)
  lu.assertTrue(ticks >= 2)
end

function T.TestWait.test_threads_of_the_plain_table()
  aio.run(function()
    local t = coroutine.create(function()
      aio.sleep(0)
      return "done"
    end)
    lu.assertEquals({ co.resume(t) }, { true, "done" })
  end)
end

function T.TestWait.test_nested()
  local depth = 50
  aio.run(function()
    local function level(n)
      aio.sleep(0)
      if n == 0 then
        co.yield("bottom")
        aio.sleep(0)
        return "end"
      end
      local inner = co.wrap(level)
      co.yield(inner(n - 1))
      aio.sleep(0)
      return inner()
    end
    local w = co.wrap(level)
    lu.assertEquals(w(depth), "bottom")
    lu.assertEquals(w(), "end")
  end)
end

function T.TestWait.test_wait_after_an_inner_one_has_ended()
  aio.run(function()
    local outer = co.wrap(function()
      co.wrap(function() aio.sleep(0) end)()
      aio.sleep(0) -- this thread is the one that may wait again
      pcall(co.wrap(function()
        aio.sleep(0)
        error("x")
      end))
      aio.sleep(0)
      co.yield("yielded")
      aio.sleep(0)
      return "end"
    end)
    lu.assertEquals(outer(), "yielded")
    aio.sleep(0)
    lu.assertEquals(outer(), "end")
    aio.sleep(0)
  end)
end

function T.TestWait.test_error_after_a_wait()
  aio.run(function()
    local object = {}
    local t = co.create(function()
      aio.sleep(0)
      error(object)
    end)
    local ok, err = co.resume(t)
    lu.assertFalse(ok)
    lu.assertIs(err, object)
    local fails = co.wrap(function()
      aio.sleep(0)
      error("text", 0)
    end)
    ok, err = pcall(function() fails() end)
    lu.assertFalse(ok)
    lu.assertStrMatches(err, ".*test_coroutine.lua:.*text")
    local failed = co.create(function()
      aio.sleep(0)
      error(aio.TimeoutError("slow"))
    end)
    ok, err = co.resume(failed)
    lu.assertFalse(ok)
    lu.assertStrContains(err.traceback, "test_coroutine.lua")
  end)
end

function T.TestWait.test_close_handlers_wait_when_it_dies()
  local log = {}
  aio.run(function()
    local t = co.create(function()
      local _ <close> = aio.defer(function()
        aio.sleep(0)
        log[#log + 1] = "cleanup"
      end)
      error("dies", 0)
    end)
    local _, err = co.resume(t)
    log[#log + 1] = err
  end)
  lu.assertEquals(log, { "cleanup", "dies" })
end

function T.TestWait.test_waits_in_pcall_and_metamethods()
  aio.run(function()
    local add = setmetatable({}, { __add = function() return aio.sleep(0, "sum") end })
    local w = co.wrap(function()
      local ok, sum = pcall(function() return add + 1 end)
      co.yield(ok, sum)
      for v in (function() return aio.sleep(0, nil) end) do co.yield(v) end
      return "end"
    end)
    lu.assertEquals({ w() }, { true, "sum" })
    lu.assertEquals(w(), "end")
  end)
end

function T.TestWait.test_cancel_reaches_the_inner_wait()
  local log = {}
  aio.run(function()
    local t = aio.create_task(function()
      co.wrap(function()
        local _ <close> = aio.defer(function()
          aio.sleep(0)
          log[#log + 1] = "inner"
        end)
        co.wrap(aio.sleep)(10)
      end)()
    end)
    aio.sleep(0)
    t:cancel("enough")
    local ok, err = pcall(t.await, t)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.CancelledError))
    lu.assertEquals(err.message, "enough")
    lu.assertTrue(t:cancelled())
  end)
  lu.assertEquals(log, { "inner" })
end

function T.TestWait.test_timeout_and_gather_inside()
  aio.run(function()
    local w = co.wrap(function()
      co.yield(aio.gather(function() return 1 end, function() return aio.sleep(0, 2) end))
      aio.timeout(0, aio.sleep, 10)
    end)
    lu.assertEquals({ w() }, { 1, 2 })
    local ok, err = pcall(w)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.TimeoutError))
  end)
end

function T.TestWait.test_one_generator_for_two_tasks()
  aio.run(function()
    local numbers = co.wrap(function()
      for i = 1, 4 do co.yield(i) end
    end)
    local sum = 0
    local function take() for _ = 1, 2 do sum = sum + numbers() aio.sleep(0) end end
    aio.gather(take, take)
    lu.assertEquals(sum, 10)
  end)
end

T.TestStray = {}

function T.TestStray.test_others_cannot_resume_what_waits()
  aio.run(function()
    local gate = aio.Future()
    local t = co.create(function() return gate:await() end)
    local task = aio.create_task(function() return co.resume(t) end)
    aio.sleep(0)
    lu.assertEquals(co.status(t), "normal")
    lu.assertEquals({ co.resume(t) }, { false, "cannot resume non-suspended coroutine" })
    local ok, err = pcall(co.close, t)
    lu.assertFalse(ok)
    lu.assertStrContains(err, "cannot close a normal coroutine")
    -- Lua's own resume does not know: it finds the wait still pending and changes nothing
    lu.assertEquals({ coroutine.resume(t) }, { true })
    gate:set_result("value")
    lu.assertEquals({ task:await() }, { true, "value" })
  end)
end

function T.TestStray.test_closed_from_outside_while_it_waits()
  aio.run(function()
    local t = co.create(function() aio.sleep(0.001) end)
    local task = aio.create_task(function() return co.resume(t) end)
    aio.sleep(0)
    lu.assertTrue(coroutine.close(t))
    lu.assertEquals({ task:await() }, { false, "cannot resume dead coroutine" })
  end)
end

function T.TestStray.test_kept_beyond_its_loop()
  local t = co.create(function() aio.sleep(10) end)
  local loop <close> = aio.new_event_loop()
  loop:create_task(function()
    loop:stop()
    co.resume(t)
  end)
  loop:set_exception_handler(function() end)
  loop:run_forever()
  loop:close()
  lu.assertEquals({ coroutine.resume(t) }, { true })
  aio.run(function() lu.assertEquals({ co.resume(t) }, { true }) end)
  collectgarbage()
  lu.assertEquals({ coroutine.resume(t) }, { true })
  lu.assertTrue(coroutine.close(t))
end

function T.TestStray.test_kept_beyond_its_closed_task()
  aio.run(function()
    local t = co.create(function()
      aio.sleep(10)
      error("went on")
    end)
    local task = aio.create_task(function() co.resume(t) end)
    aio.sleep(0)
    coroutine.close(task:get_coro()) -- the task's own thread
    task:cancel()
    lu.assertFalse((pcall(task.await, task)))
    lu.assertEquals({ coroutine.resume(t) }, { true })
    lu.assertEquals({ co.resume(t) }, { true })
  end)
end

T.TestRefused = {}

local function refused(fn)
  local ok, err = pcall(fn)
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError), tostring(err))
  lu.assertStrContains(err.where, "test_coroutine.lua")
  return err.message
end

function T.TestRefused.test_wait_in_a_plain_coroutine()
  aio.run(function()
    local message = refused(coroutine.wrap(function() aio.sleep(0) end))
    lu.assertStrContains(message, "aio.coroutine")
  end)
end

function T.TestRefused.test_wait_in_ours_inside_a_plain_one()
  aio.run(function()
    local message = refused(coroutine.wrap(function()
      co.wrap(function() aio.sleep(0) end)()
    end))
    lu.assertStrContains(message, "aio.coroutine")
    aio.sleep(0)
  end)
end

function T.TestRefused.test_wait_under_a_c_function()
  aio.run(function()
    local message = refused(function()
      table.sort({ 1, 2, 3 }, function(a, b)
        co.wrap(function() aio.sleep(0) end)()
        return a < b
      end)
    end)
    lu.assertStrContains(message, "table.sort")
    aio.sleep(0)
  end)
end

function T.TestRefused.test_wait_outside_a_task()
  local message = refused(co.wrap(function() aio.sleep(0) end))
  lu.assertStrContains(message, "aio.run")
end

function T.TestRefused.test_wait_in_atomic()
  aio.run(function()
    local message = refused(function()
      aio.atomic(co.wrap(function() aio.sleep(0) end))
    end)
    lu.assertStrContains(message, "atomic")
  end)
end

function T.TestRefused.test_close_cannot_wait()
  aio.run(function()
    local t = co.create(function()
      local _ <close> = aio.defer(aio.sleep, 0)
      co.yield()
    end)
    co.resume(t)
    local ok, err = co.close(t)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.RuntimeError))
    lu.assertStrContains(err.message, "coroutine.close")
    aio.sleep(0)
  end)
end

function T.TestRefused.test_yield_in_the_task_itself()
  aio.run(function()
    local message = refused(function() co.yield(1) end)
    lu.assertStrContains(message, "aio.sleep(0)")
    aio.sleep(0)
  end)
end

function T.test_thread_of_ours_as_a_task()
  aio.run(function()
    local t = co.create(function(a) return aio.sleep(0, a) end)
    lu.assertTrue(aio.iscoroutine(t))
    lu.assertEquals(aio.create_task(t, "x"):await(), "x")
  end)
end

function T.test_running_protects_the_thread()
  aio.run(function()
    local kept
    aio.create_task(function() kept = co.running() end):await()
    aio.create_task(function() lu.assertNotEquals(coroutine.running(), kept) end):await()
    lu.assertEquals(co.status(kept), "dead")
  end)
end

return T
