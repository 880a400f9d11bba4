-- SPDX-License-Identifier: MIT
-- What aio tells by itself: deadlocks, and in debug mode slow steps, open resources, chains of
-- awaits. Stacks and call graphs are in test_inspect.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"

local T = {}

local function here() return debug.getinfo(2, "l").currentline end

local function at(n) return "test_debug.lua:" .. n end

T.TestDeadlock = {}

-- aio.run(fn) must end in a deadlock; its message.
local function deadlock(fn)
  local ok, err = pcall(aio.run, fn)
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError), tostring(err))
  lu.assertStrContains(err.message, "deadlock")
  return err.message
end

function T.TestDeadlock.test_future()
  local n
  local message = deadlock(function()
    n = here() + 1
    aio.Future():await()
  end)
  lu.assertStrContains(message, "(main) waits in await for a Future")
  lu.assertStrContains(message, at(n))
end

function T.TestDeadlock.test_two_locks()
  local message = deadlock(function()
    local a, b = aio.Lock(), aio.Lock()
    local function take(x, y)
      local _ <close> = x:acquire()
      aio.sleep(0)
      local _ <close> = y:acquire()
    end
    local one = aio.create_task_with({ name = "one" }, take, a, b)
    local two = aio.create_task_with({ name = "two" }, take, b, a)
    aio.gather(one, two)
  end)
  lu.assertStrContains(message, "(main) waits in aio.gather for one, two")
  lu.assertStrContains(message, "one waits in Lock:acquire, held by two")
  lu.assertStrContains(message, "two waits in Lock:acquire, held by one")
end

function T.TestDeadlock.test_queue_event_and_group()
  local message = deadlock(function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(function() aio.Queue():get() end)
    tg:create_task(function() aio.Event():wait() end)
  end)
  lu.assertStrContains(message, "waits in aio.TaskGroup for ")
  lu.assertStrContains(message, "waits in Queue:get")
  lu.assertStrContains(message, "waits in Event:wait")
end

function T.TestDeadlock.test_main_can_catch_it_and_go_on()
  local reports = {}
  lu.assertEquals(aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    local f = aio.Future()
    for _ = 1, 2 do
      local ok, err = pcall(f.await, f)
      lu.assertFalse(ok)
      lu.assertStrContains(err.message, "deadlock")
    end
    return "went on"
  end), "went on")
  lu.assertEquals(#reports, 1) -- of the second one
  lu.assertEquals(reports[1].kind, "deadlock")
end

function T.TestDeadlock.test_run_until_complete_of_a_future()
  local loop <close> = aio.new_event_loop()
  local ok, err = pcall(loop.run_until_complete, loop, loop:create_future())
  lu.assertFalse(ok)
  lu.assertStrContains(err.message, "deadlock")
end

function T.TestDeadlock.test_not_with_a_timer()
  aio.run(function()
    local f = aio.Future()
    aio.get_running_loop():call_later(0.001, f.set_result, f)
    f:await()
  end)
end

T.TestDebug = {}

-- Runs fn in debug mode; the list of what came to the exception handler.
-- Slow steps are reported only to who sets the limit: a busy machine makes any step slow.
local function reports_of(fn)
  local reports = {}
  aio.run_with({ debug = true }, function()
    local loop = aio.get_running_loop()
    loop.slow_callback_duration = 1e9
    loop:set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    fn(loop)
  end)
  return reports
end

-- The sampler of slow steps leaves threads alone that have a hook of somebody else.
local function skip_with_hook() lu.skipIf(debug.gethook() ~= nil, "a debug hook is set") end

-- The report with this field. There may be more: the machine may keep any step waiting.
local function report_with(reports, field)
  for _, r in ipairs(reports) do
    local task = r.task and r.task:get_name()
    if r[field] ~= nil or task == field then return r end
  end
  lu.fail("no report of " .. field)
end

local function spin(seconds)
  local stop = os.clock() + seconds
  repeat until os.clock() > stop
end

function T.TestDebug.test_slow_task()
  skip_with_hook()
  local n
  local reports = reports_of(function(loop)
    loop.slow_callback_duration = 0.01
    local function busy()
      n = here() + 1
      spin(0.03)
      return 1
    end
    aio.create_task_with({ name = "busy" }, busy):await()
  end)
  local report = report_with(reports, "busy")
  lu.assertEquals(report.kind, "slow_callback")
  lu.assertStrContains(report.message, "task busy (made at")
  lu.assertStrContains(report.traceback, "in upvalue 'spin'")
  lu.assertStrContains(report.traceback, at(n))
end

function T.TestDebug.test_slow_callback_and_slow_c_function()
  skip_with_hook()
  local n
  local text = ("x"):rep(400)
  local reports = reports_of(function(loop)
    loop.slow_callback_duration = 0.005
    local function busy()
      n = here() + 1
      text:find((".-"):rep(2) .. "y") -- long, inside one C function
    end
    loop:call_soon(busy)
    aio.sleep(0)
  end)
  local report = report_with(reports, "handle")
  lu.assertStrContains(report.message, "a callback (made at")
  lu.assertStrContains(report.traceback, "'string.find'")
  lu.assertStrContains(report.traceback, at(n))
end

function T.TestDebug.test_fast_ones_are_not_reported()
  lu.assertEquals(reports_of(function(loop)
    loop.slow_callback_duration = 60
    aio.gather(function() aio.sleep(0) end, function() spin(0.001) end)
  end), {})
end

function T.TestDebug.test_threads_go_back_to_the_pool()
  skip_with_hook()
  local core = require "aio.core"
  reports_of(function()
    for _ = 1, 3 do aio.create_task(function() aio.sleep(0) end):await() end
    local pooled = core.stats().threads_pooled
    lu.assertTrue(pooled >= 1)
    for _ = 1, 10 do aio.create_task(function() aio.sleep(0) end):await() end
    lu.assertEquals(core.stats().threads_pooled, pooled)
  end)
end

function T.TestDebug.test_never_retrieved_with_the_chain_of_awaits()
  local n = {}
  local reports = reports_of(function()
    local low = aio.create_task_with({ name = "low" }, function()
      n[1] = here() + 1
      error(aio.TimeoutError("late"))
    end)
    aio.create_task_with({ name = "high" }, function()
      n[2] = here() + 1
      low:await()
    end)
    aio.sleep(0)
    aio.sleep(0)
    aio.sleep(0)
  end)
  lu.assertEquals(#reports, 1)
  lu.assertEquals(reports[1].kind, "never_retrieved")
  local text = reports[1].exception.traceback
  lu.assertStrContains(text, at(n[1]))
  lu.assertStrContains(text, "awaited by high:")
  lu.assertStrContains(text, at(n[2]))
end

function T.TestDebug.test_plain_errors_have_the_chain_too()
  local reports = reports_of(function()
    aio.create_task_with({ name = "high" }, function()
      aio.gather(function() error "plain" end, function() end)
    end)
    for _ = 1, 5 do aio.sleep(0) end
  end)
  lu.assertEquals(#reports, 1)
  lu.assertStrContains(reports[1].exception, "plain")
  lu.assertStrContains(reports[1].traceback, "awaited by high:")
end

function T.TestDebug.test_without_it_tracebacks_are_short()
  aio.run(function()
    local low = aio.create_task(function() error(aio.TimeoutError("late")) end)
    local high = aio.create_task(function() low:await() end)
    local ok, err = pcall(high.await, high)
    lu.assertFalse(ok)
    lu.assertNotStrContains(err.traceback, "awaited by")
  end)
end

function T.TestDebug.test_swallowed_cancel()
  local reports = reports_of(function()
    local t = aio.create_task_with({ name = "swallows" }, function() pcall(aio.sleep, 10) end)
    aio.sleep(0)
    t:cancel()
    t:await()
  end)
  lu.assertEquals(#reports, 1)
  lu.assertEquals(reports[1].kind, "swallowed_cancel")
  lu.assertStrContains(reports[1].message, "swallows")
end

function T.TestDebug.test_open_when_the_loop_is_closed()
  local n, server, conn
  local reports = reports_of(function()
    local accepted = aio.Event()
    local s <close> = aio.start_server(function(c)
      accepted:set()
      c:read "a"
    end, "127.0.0.1", 0)
    n = here() + 1
    server, conn = aio.start_server(print, "127.0.0.1", 0), aio.open_connection("127.0.0.1", s.port)
    accepted:wait()
    s:close_clients()
  end)
  lu.assertEquals(#reports, 2)
  local text = reports[1].message .. reports[2].message
  lu.assertStrContains(text, "a server made at")
  lu.assertStrContains(text, "a stream made at")
  for _, ctx in ipairs(reports) do
    lu.assertEquals(ctx.kind, "unclosed")
    lu.assertStrContains(ctx.message, at(n))
  end
  lu.assertNotNil(server)
  lu.assertTrue(conn:is_closing())
end

-- A server that could not listen has no sockets; it is no reason for another error at the end.
function T.TestDebug.test_a_server_that_could_not_listen()
  local reports = reports_of(function()
    local s <close> = aio.start_server(print, "127.0.0.1", 0)
    lu.assertErrorMsgContains("cannot listen", aio.start_server, print, "127.0.0.1", s.port)
  end)
  lu.assertEquals(reports, {})
end

-- A function of aio as the body of a task: no line of the user's is on the stack.
function T.TestDebug.test_wrong_use_is_blamed_on_who_made_the_task()
  reports_of(function()
    local n = here() + 1
    local tasks = { aio.create_task(aio.sleep, "x"), aio.create_task(aio.wait, {}),
      aio.create_task(aio.Lock().release, aio.Lock()) }
    for i, t in ipairs(tasks) do
      local ok, err = pcall(t.await, t)
      lu.assertFalse(ok)
      lu.assertStrContains(tostring(err), at(i == 3 and n + 1 or n))
    end
  end)
end

-- A tail call has taken away the frame that is to blame: no line is better than that of the task.
function T.TestDebug.test_nobody_is_blamed_after_a_tail_call()
  reports_of(function()
    for _, fn in ipairs { function() return aio.wait {} end,
      function() return aio.timeout("x") end } do
      local t = aio.create_task(fn)
      local ok, err = pcall(t.await, t)
      lu.assertFalse(ok)
      lu.assertStrMatches(tostring(err), "bad argument #1 to .*")
    end
  end)
end

-- In a process of its own, because the variable is read when aio is loaded.
local function debug_flag(value)
  local chunk = "local aio = require 'aio'; "
    .. "print(aio.run(function() return aio.get_running_loop():get_debug() end))"
  local pipe = io.popen(("AIO_DEBUG=%s %s"):format(value,
    env.command("-e " .. env.quote(chunk) .. " /dev/null")))
  local text = pipe:read "a"
  pipe:close()
  return text
end

function T.TestDebug.test_environment()
  lu.assertEquals(debug_flag "1", "true\n")
  lu.assertEquals(debug_flag "0", "false\n")
  lu.assertEquals(debug_flag "''", "false\n")
end

return T
