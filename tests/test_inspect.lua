-- SPDX-License-Identifier: MIT
-- Seeing inside: stacks, call graphs, tracebacks. Deadlocks and debug mode are in test_debug.

local aio = require "aio"
local lu = require "luaunit"

local T = {}

local function here() return debug.getinfo(2, "l").currentline end

local function at(n) return "test_inspect.lua:" .. n end

-- A file for print_stack and its kin.
local function buffer()
  local b = { text = "" }
  function b:write(...)
    for _, s in ipairs { ... } do self.text = self.text .. s end
    return self
  end
  return b
end

local function sleeper_line() return debug.getinfo(2, "l").currentline + 1 end

local lines = {}

local function inner()
  lines.inner = sleeper_line()
  aio.sleep(10)
  return true
end

local function outer()
  lines.outer = sleeper_line()
  local ok = inner()
  return ok
end

-- Runs fn(task) with a task that stands in inner, called by outer.
local function with_sleeper(fn)
  aio.run(function()
    local t = aio.create_task(outer)
    aio.sleep(0)
    aio.sleep(0)
    fn(t)
    t:cancel()
    pcall(t.await, t)
  end)
end

T.TestStack = {}

function T.TestStack.test_suspended()
  with_sleeper(function(t)
    local stack = t:get_stack()
    lu.assertEquals(#stack, 2)
    lu.assertEquals({ stack[1].line, stack[2].line }, { lines.outer, lines.inner })
    lu.assertEquals(stack[2].name, "inner")
    lu.assertStrContains(stack[1].source, "test_inspect.lua")
    stack = t:get_stack { limit = 1 }
    lu.assertEquals({ #stack, stack[1].line }, { 1, lines.inner })
  end)
end

function T.TestStack.test_not_started_running_and_ended()
  aio.run(function()
    local t = aio.create_task(outer)
    local stack = t:get_stack()
    lu.assertEquals(#stack, 1)
    lu.assertEquals(stack[1].line, debug.getinfo(outer, "S").linedefined)
    lu.assertStrContains(t:traceback(), "has not started")
    t:cancel()
    pcall(t.await, t)
    lu.assertEquals(t:get_stack(), {})
    lu.assertStrContains(t:traceback(), "has ended, cancelled")
    local me = aio.current_task()
    local n = here() + 1
    stack = me:get_stack()
    lu.assertEquals(stack[#stack].line, n)
    lu.assertStrContains(me:traceback(), "is running")
    local done = aio.create_task(function() end)
    done:await()
    lu.assertStrContains(done:traceback(), "has ended")
  end)
end

function T.TestStack.test_inside_aio_coroutine()
  aio.run(function()
    local function nested() aio.coroutine.resume(aio.coroutine.create(outer)) return 1 end
    local t = aio.create_task(function()
      aio.coroutine.wrap(nested)()
      return 1
    end)
    aio.sleep(0)
    local stack = t:get_stack()
    local n = #stack
    lu.assertEquals({ stack[n].line, stack[n - 1].line }, { lines.inner, lines.outer })
    lu.assertEquals(n, 4)
    t:cancel()
    pcall(t.await, t)
  end)
end

function T.TestStack.test_traceback()
  with_sleeper(function(t)
    local text = t:traceback()
    lu.assertStrContains(text, t:get_name() .. " waits in aio.sleep")
    lu.assertStrContains(text, at(lines.inner) .. ": in ")
    lu.assertStrContains(text, at(lines.outer) .. ": in ")
  end)
end

-- What aio.catch lets pass keeps where it was raised, also through several of them and to who
-- reports it; another error with the same text later has its own place.
function T.TestStack.test_traceback_through_catch()
  local function first() error("passed", 0) end
  local function second() error("passed", 0) end
  local function line_of(fn)
    return ("test_inspect.lua:%d:"):format(debug.getinfo(fn, "S").linedefined)
  end
  local in_first, in_second = line_of(first), line_of(second)
  local function guarded(fn) aio.catch(aio.OSError, aio.catch, { aio.TimeoutError }, fn) end
  aio.run(function()
    local one = aio.create_task(guarded, first)
    local two = aio.create_task(function() pcall(guarded, first) guarded(second) end)
    local three = aio.create_task(function() pcall(guarded, first) second() end)
    local function raise() error(aio.RuntimeError "object") end
    local object = aio.create_task(guarded, raise)
    aio.wait { one, two, three, object }
    for _, task in ipairs { one, two, three } do lu.assertEquals(task:exception(), "passed") end
    lu.assertStrContains(one:traceback(), in_first)
    for _, task in ipairs { two, three } do
      lu.assertStrContains(task:traceback(), in_second)
      lu.assertNotStrContains(task:traceback(), in_first)
    end
    lu.assertStrContains(object:exception().traceback, line_of(raise))

    local context
    aio.get_running_loop():set_exception_handler(function(_, ctx) context = ctx end)
    local server <close> = aio.start_server(function() guarded(first) end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    conn:read(1)
    lu.assertEquals(context.exception, "passed")
    lu.assertStrContains(context.traceback, in_first)
  end)
end

function T.TestStack.test_traceback_tells_who_awaits()
  aio.run(function()
    local t = aio.create_task(outer)
    local n
    local waiter = aio.create_task_with({ name = "waiter" }, function()
      n = here() + 1
      t:await()
    end)
    aio.sleep(0)
    lu.assertStrContains(t:traceback(), "awaited by waiter:")
    lu.assertStrContains(t:traceback(), at(n))
    lu.assertStrContains(waiter:traceback(), "waiter waits in await for " .. t:get_name())
    t:cancel()
    pcall(waiter.await, waiter)
  end)
end

function T.TestStack.test_traceback_of_a_failed_task()
  aio.run(function()
    local t = aio.create_task(function() error(aio.TimeoutError("late")) end)
    pcall(t.await, t)
    lu.assertStrContains(t:traceback(), "TimeoutError: late")
    lu.assertStrContains(t:traceback(), "stack traceback:")
    local plain = aio.create_task(function() error "plain" end)
    pcall(plain.await, plain)
    lu.assertStrContains(plain:traceback(), "plain")
    lu.assertStrContains(plain:traceback(), "stack traceback:")
  end)
end

function T.TestStack.test_print_stack()
  with_sleeper(function(t)
    local b = buffer()
    t:print_stack { file = b }
    lu.assertStrContains(b.text, "stack of " .. t:get_name())
    lu.assertStrContains(b.text, at(lines.outer))
    b = buffer()
    t:print_stack { file = b, limit = 1 }
    lu.assertStrContains(b.text, at(lines.inner))
    lu.assertNotStrContains(b.text, at(lines.outer))
  end)
  aio.run(function()
    local t = aio.create_task(error, "failed here")
    pcall(t.await, t)
    local b = buffer()
    t:print_stack { file = b }
    lu.assertStrContains(b.text, "failed here")
    local done = aio.create_task(function() end)
    done:await()
    b = buffer()
    done:print_stack { file = b }
    lu.assertStrContains(b.text, "no stack of")
  end)
end

function T.TestStack.test_arguments()
  with_sleeper(function(t)
    lu.assertErrorMsgContains("bad argument #1 to 'get_stack'", t.get_stack, 1)
    lu.assertErrorMsgContains("unknown option", t.get_stack, t, { limits = 1 })
    lu.assertErrorMsgContains("bad argument #1 to 'print_stack'", t.print_stack)
    lu.assertErrorMsgContains("bad argument #1 to 'traceback'", t.traceback, {})
    lu.assertErrorMsgContains("bad argument #1 to 'capture_call_graph'", aio.capture_call_graph, 1)
  end)
end

T.TestGraph = {}

-- The names of the tasks that wait for x, one level.
local function awaited_by(x)
  local names = {}
  for i, node in ipairs(aio.capture_call_graph(x).awaited_by) do
    names[i] = node.future:get_name()
  end
  return names
end

-- Runs `wait(sleeper)` in a task called "waiter" and tells who waits for the sleeper.
local function waiter_of(wait)
  local names
  aio.run(function()
    local t = aio.create_task_with({ name = "sleeper" }, aio.sleep, 10)
    local waiter = aio.create_task_with({ name = "waiter" }, wait, t)
    aio.sleep(0)
    aio.sleep(0)
    names = awaited_by(t)
    waiter:cancel()
    pcall(waiter.await, waiter)
  end)
  return names
end

function T.TestGraph.test_every_way_to_wait()
  local ways = {
    await = function(t) t:await() end,
    gather = function(t) aio.gather(t, aio.Future()) end,
    wait = function(t) aio.wait { t, aio.Future() } end,
    wait_for = function(t) aio.wait_for(t, 100) end,
    as_completed = function(t) aio.as_completed { t, aio.Future() }() end,
    race = function(t) aio.race(t, aio.Future()) end,
    shield = function(t) aio.shield(t):await() end,
  }
  for name, wait in pairs(ways) do lu.assertEquals(waiter_of(wait), { "waiter" }, name) end
end

function T.TestGraph.test_group()
  aio.run(function()
    local child
    local parent = aio.create_task_with({ name = "parent" }, function()
      local tg <close> = aio.TaskGroup()
      child = tg:create_task(aio.sleep, 10)
    end)
    aio.sleep(0)
    lu.assertEquals(awaited_by(child), { "parent" })
    parent:cancel()
    pcall(parent.await, parent)
  end)
end

function T.TestGraph.test_chain_and_format()
  aio.run(function()
    local t = aio.create_task_with({ name = "low" }, inner)
    local mid = aio.create_task_with({ name = "mid" }, function() t:await() return 1 end)
    local top = aio.create_task_with({ name = "top" }, function() mid:await() return 1 end)
    local other = aio.create_task_with({ name = "other" }, function() t:await() return 1 end)
    aio.sleep(0)
    local graph = aio.capture_call_graph(t)
    lu.assertIs(graph.future, t)
    lu.assertEquals(graph.call_stack[1].line, lines.inner)
    lu.assertEquals(#graph.awaited_by, 2)
    lu.assertIs(graph.awaited_by[1].future, mid)
    lu.assertIs(graph.awaited_by[1].awaited_by[1].future, top)
    lu.assertIs(graph.awaited_by[2].future, other)
    local text = aio.format_call_graph(t)
    for _, name in ipairs { "low", "mid", "top", "other" } do
      lu.assertStrContains(text, "* " .. name)
    end
    lu.assertStrContains(text, "+ Call stack:")
    lu.assertStrContains(text, at(lines.inner))
    lu.assertStrContains(text, "+ Awaited by:")
    local b = buffer()
    aio.print_call_graph(t, { file = b, limit = 1 })
    lu.assertStrContains(b.text, "* top")
    t:cancel()
    aio.wait { top, mid, other }
  end)
end

function T.TestGraph.test_the_running_task()
  aio.run(function()
    local n = here() + 1
    local graph = aio.capture_call_graph()
    lu.assertIs(graph.future, aio.current_task())
    lu.assertEquals(graph.call_stack[1].line, n)
    local seen
    aio.get_running_loop():call_soon(function()
      seen = { aio.capture_call_graph() == nil, aio.format_call_graph() }
    end)
    aio.sleep(0)
    lu.assertEquals(seen, { true, "" })
  end)
  lu.assertFalse((pcall(aio.capture_call_graph)))
end

function T.TestGraph.test_tasks_that_await_each_other()
  aio.run(function()
    local a, b
    a = aio.create_task(function() b:await() end)
    b = aio.create_task(function() a:await() end)
    aio.sleep(0)
    local graph = aio.capture_call_graph(a)
    lu.assertIs(graph.awaited_by[1].awaited_by[1].future, a)
    lu.assertEquals(graph.awaited_by[1].awaited_by[1].awaited_by, {})
    lu.assertStrContains(a:traceback(), "awaited by")
    a:cancel()
    aio.wait { a, b }
  end)
end

T.TestTraceback = {}

function T.TestTraceback.test_strings_and_other_values()
  aio.run(function()
    local n
    local ok, text = xpcall(function()
      n = here() + 1
      error "oops"
    end, aio.traceback)
    lu.assertFalse(ok)
    lu.assertStrContains(text, at(n) .. ": oops")
    lu.assertStrContains(text, "stack traceback:")
    local object = {}
    lu.assertIs(select(2, xpcall(error, aio.traceback, object)), object)
    lu.assertNil(select(2, xpcall(error, aio.traceback)))
  end)
  lu.assertStrContains(select(2, xpcall(error, aio.traceback, "outside")), "stack traceback:")
end

function T.TestTraceback.test_chain_of_awaits()
  aio.run(function()
    local t = aio.create_task(function()
      return select(2, xpcall(function()
        aio.sleep(0)
        error(aio.TimeoutError("late"))
      end, aio.traceback))
    end)
    local n
    local waiter = aio.create_task_with({ name = "waiter" }, function()
      n = here() + 1
      return t:await()
    end)
    local err = waiter:await()
    lu.assertTrue(aio.is(err, aio.TimeoutError))
    lu.assertStrContains(err.traceback, "awaited by waiter")
    lu.assertStrContains(err.traceback, at(n))
  end)
end

function T.TestTraceback.test_error_from_another_task()
  aio.run(function()
    local t = aio.create_task(function() error(aio.TimeoutError("late")) end)
    local _, err = xpcall(t.await, aio.traceback, t)
    lu.assertStrContains(err.traceback, "caught in " .. aio.current_task():get_name())
  end)
end

return T
