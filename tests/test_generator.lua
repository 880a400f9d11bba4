-- SPDX-License-Identifier: MIT
-- aio.generator: values, waits in the body, sending, closing, what is left open.

local aio = require "aio"
local lu = require "luaunit"

local T = {}

local function count(yield, n)
  for i = 1, n do
    aio.sleep(0)
    yield(i)
  end
end

-- A body that notes its cleanup, which waits, in `log`.
local function noting(log, name)
  return function(yield)
    local _ <close> = aio.defer(function()
      aio.sleep(0)
      log[#log + 1] = name or "cleanup"
    end)
    for i = 1, 10 do yield(i) end
  end
end

local function collect(...)
  local list = {}
  for x in ... do list[#list + 1] = x end
  return list
end

local function raises(class, fn, ...)
  local ok, err = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, class), tostring(err))
  return err
end

T.TestValues = {}

function T.TestValues.test_for()
  aio.run(function()
    lu.assertEquals(collect(aio.generator(count, 3)), { 1, 2, 3 })
    lu.assertEquals(collect(aio.generator(count, 0)), {})
  end)
end

function T.TestValues.test_several_values_and_arguments()
  aio.run(function()
    local g = aio.generator(function(yield, a, b, c)
      yield(a, b, c)
      yield()
      yield(nil, 2)
    end, 1, nil, 3)
    lu.assertEquals(table.pack(g("ignored", "too")), { 1, nil, 3, n = 3 })
    lu.assertEquals(table.pack(g()), { n = 0 })
    lu.assertEquals(table.pack(g()), { nil, 2, n = 2 })
    lu.assertEquals(table.pack(g()), { nil, n = 1 })
    lu.assertEquals(table.pack(g()), { nil, n = 1 })
  end)
end

function T.TestValues.test_callable_body()
  aio.run(function()
    local body = setmetatable({}, { __call = function(_, yield, x) yield(x) end })
    lu.assertEquals(collect(aio.generator(body, "x")), { "x" })
  end)
end

function T.TestValues.test_other_tasks_run_meanwhile()
  local log = {}
  aio.run(function()
    local function consume(name)
      for i in aio.generator(count, 2) do log[#log + 1] = name .. i end
    end
    aio.gather(function() consume "a" end, function() consume "b" end)
  end)
  lu.assertEquals(log, { "a1", "b1", "a2", "b2" })
end

function T.TestValues.test_context_of_the_consumer()
  local var = aio.ContextVar("var")
  aio.run(function()
    local g = aio.generator(function(yield)
      while true do yield(var:get()) end
    end)
    var:set("main")
    lu.assertEquals(g(), "main")
    lu.assertEquals(aio.create_task(function()
      var:set("task")
      return g()
    end):await(), "task")
    g:close()
  end)
end

function T.TestValues.test_nested()
  aio.run(function()
    local function twice(yield, source)
      for x in source do
        yield(x)
        aio.sleep(0)
        yield(x)
      end
    end
    lu.assertEquals(collect(aio.generator(twice, aio.generator(twice, aio.generator(count, 2)))),
      { 1, 1, 1, 1, 2, 2, 2, 2 })
  end)
end

function T.TestValues.test_without_a_loop()
  lu.assertEquals(collect(aio.generator(function(yield) yield(1) end)), { 1 })
  local err = raises(aio.RuntimeError, aio.generator(count, 1))
  lu.assertStrContains(err.message, "aio.run")
end

function T.TestValues.test_arguments()
  local function fails(what, fn)
    local ok, err = pcall(fn)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(err), what)
    lu.assertStrContains(tostring(err), "test_generator.lua")
  end
  fails("bad argument #1 to 'generator'", function() aio.generator(1) end)
  local g = aio.generator(count, 1)
  fails("bad argument #1 to 'send'", function() g.send(1) end)
  fails("bad argument #1 to 'close'", function() g.close({}) end)
  fails("bad argument #1 to 'closing'", function() g.closing() end)
end

T.TestSend = {}

function T.TestSend.test_values_reach_the_yield()
  aio.run(function()
    local g = aio.generator(function(yield)
      local got = table.pack(yield("first"))
      aio.sleep(0)
      lu.assertEquals(table.pack(yield(got.n, table.unpack(got, 1, got.n))), { n = 0 })
    end)
    lu.assertEquals(g:send(nil), "first")
    lu.assertEquals(table.pack(g:send("a", nil)), { 2, "a", nil, n = 3 })
    lu.assertNil(g())
    lu.assertNil(g:send(1))
  end)
end

function T.TestSend.test_before_the_start()
  aio.run(function()
    local g = aio.generator(count, 1)
    local err = raises(aio.RuntimeError, g.send, g, 1)
    lu.assertStrContains(err.message, "not reached a yield")
    lu.assertEquals(g(), 1)
    g:close()
  end)
end

T.TestErrors = {}

function T.TestErrors.test_error_ends_it()
  aio.run(function()
    local object = {}
    local g = aio.generator(function(yield)
      yield(1)
      aio.sleep(0)
      error(object)
    end)
    lu.assertEquals(g(), 1)
    local ok, err = pcall(g)
    lu.assertFalse(ok)
    lu.assertIs(err, object)
    lu.assertNil(g())
    g:close()
  end)
end

function T.TestErrors.test_running_already()
  aio.run(function()
    local gate = aio.Future()
    local g = aio.generator(function(yield)
      gate:await()
      yield(1)
    end)
    local t = aio.create_task(function() return g() end)
    aio.sleep(0)
    lu.assertStrContains(raises(aio.RuntimeError, g).message, "running already")
    lu.assertStrContains(raises(aio.RuntimeError, g.close, g).message, "is running")
    gate:set_result()
    lu.assertEquals(t:await(), 1)
    g:close()
  end)
end

function T.TestErrors.test_yield_from_elsewhere()
  aio.run(function()
    local escaped
    local g = aio.generator(function(yield)
      escaped = yield
      local err = raises(aio.RuntimeError, coroutine.wrap(function() yield(1) end))
      lu.assertStrContains(err.where, "test_generator.lua")
      err = raises(aio.RuntimeError, aio.coroutine.wrap(function() yield(1) end))
      lu.assertStrContains(err.message, "own body")
      yield(2)
    end)
    lu.assertEquals(g(), 2)
    raises(aio.RuntimeError, escaped, 3)
    g:close()
  end)
end

function T.TestErrors.test_cancelled_consumer()
  local log = {}
  aio.run(function()
    local t = aio.create_task(function()
      for _ in aio.generator(function(yield)
        local _ <close> = aio.defer(function()
          aio.sleep(0)
          log[#log + 1] = "cleanup"
        end)
        yield(1)
        aio.sleep(10)
      end) do
        log[#log + 1] = "value"
      end
    end)
    aio.sleep(0)
    t:cancel()
    lu.assertTrue(aio.is(select(2, pcall(t.await, t)), aio.CancelledError))
  end)
  lu.assertEquals(log, { "value", "cleanup" })
end

T.TestClose = {}

function T.TestClose.test_early_exit_leaves_it_open()
  local log = {}
  aio.run(function()
    local g = aio.generator(noting(log))
    for i in g do if i == 2 then break end end
    lu.assertEquals(log, {})
    for i in g do if i == 4 then break end end
    g:close()
    lu.assertEquals(log, { "cleanup" })
    lu.assertEquals(collect(g), {})
    g:close()
  end)
end

function T.TestClose.test_closing()
  local log = {}
  aio.run(function()
    for i in aio.generator(noting(log, "break")):closing() do if i == 2 then break end end
    lu.assertEquals(log, { "break" })
    raises(aio.TimeoutError, function()
      for _ in aio.generator(noting(log, "error")):closing() do error(aio.TimeoutError()) end
    end)
    lu.assertEquals(log, { "break", "error" })
    lu.assertEquals(collect(aio.generator(count, 2):closing()), { 1, 2 })
  end)
end

function T.TestClose.test_to_be_closed()
  local log = {}
  aio.run(function()
    do
      local g <close> = aio.generator(noting(log))
      g()
    end
    lu.assertEquals(log, { "cleanup" })
  end)
end

function T.TestClose.test_before_the_start()
  aio.run(function()
    local g = aio.generator(function() error("must not run") end)
    g:close()
    lu.assertNil(g())
  end)
end

function T.TestClose.test_the_body_sees_generator_exit()
  aio.run(function()
    local seen
    local g = aio.generator(function(yield)
      local ok, err = aio.catch(aio.GeneratorExit, yield, 1)
      seen = not ok and err
    end)
    g()
    g:close()
    lu.assertTrue(aio.is(seen, aio.GeneratorExit))
    local passed = aio.generator(function(yield) aio.pcall(yield, 1) lu.fail("caught it") end)
    passed()
    passed:close()
  end)
end

function T.TestClose.test_ignored()
  aio.run(function()
    local g = aio.generator(function(yield)
      pcall(yield, 1)
      yield(2)
      return "end"
    end)
    g()
    local err = raises(aio.RuntimeError, g.close, g)
    lu.assertStrContains(err.message, "ignored GeneratorExit")
    lu.assertNil(g())
  end)
end

function T.TestClose.test_error_in_the_cleanup()
  aio.run(function()
    local g = aio.generator(function(yield)
      local _ <close> = aio.defer(error, aio.TimeoutError("cleanup"))
      yield(1)
    end)
    g()
    raises(aio.TimeoutError, g.close, g)
    lu.assertNil(g())
  end)
end

T.TestLeftOpen = {}

function T.TestLeftOpen.test_closed_at_shutdown_in_order()
  local log, kept = {}, {}
  aio.run(function()
    for i = 1, 3 do
      kept[i] = aio.generator(noting(log, i))
      kept[i]()
    end
    kept[4] = aio.generator(noting(log, "not started"))
    kept[2]:close()
  end)
  lu.assertEquals(log, { 2, 1, 3 })
  for i = 1, 4 do lu.assertNil(i < 4 and kept[i]() or nil) end
end

function T.TestLeftOpen.test_shutdown_reports_errors()
  local reports, kept = {}, nil
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    kept = aio.generator(function(yield)
      local _ <close> = aio.defer(error, aio.TimeoutError("cleanup"))
      yield(1)
    end)
    kept()
  end)
  lu.assertEquals(#reports, 1)
  lu.assertTrue(aio.is(reports[1].exception, aio.TimeoutError))
  lu.assertStrContains(reports[1].message, "generator")
end

function T.TestLeftOpen.test_shutdown_by_hand()
  local log = {}
  aio.run(function()
    local g = aio.generator(noting(log))
    g()
    aio.get_running_loop():shutdown_asyncgens()
    lu.assertEquals(log, { "cleanup" })
    lu.assertNil(g())
  end)
end

-- Leaves an open generator behind that nobody can reach.
local function drop_one(log)
  local g = aio.generator(noting(log))
  g()
end

function T.TestLeftOpen.test_collected()
  local log = {}
  aio.run(function()
    drop_one(log)
    collectgarbage()
    collectgarbage()
    for _ = 1, 4 do aio.sleep(0) end
    lu.assertEquals(log, { "cleanup" })
  end)
end

function T.TestLeftOpen.test_collected_in_debug_mode()
  local log, reports = {}, {}
  aio.run_with({ debug = true }, function()
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    drop_one(log)
    collectgarbage()
    collectgarbage()
    for _ = 1, 4 do aio.sleep(0) end
  end)
  lu.assertEquals(log, { "cleanup" })
  lu.assertEquals(#reports, 1)
  lu.assertEquals(reports[1].kind, "unclosed")
  lu.assertStrMatches(reports[1].message, ".*made at .*test_generator.lua:%d+.*")
end

return T
