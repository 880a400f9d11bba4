-- SPDX-License-Identifier: MIT
-- Bad input: each misuse raises one clear error that is blamed on the caller's line, names the
-- argument and says what to do, and leaves everything as it was.

local lu = require "luaunit"
local aio = require "aio"

local T = {}

local here = debug.getinfo(1, "S").short_src

-- Calls fn; its error must name this file and contain `text`. Returns the error.
local function refused(text, fn, ...)
  local ok, err = pcall(fn, ...)
  lu.assertFalse(ok, "accepted: " .. text)
  lu.assertStrContains(tostring(err), text, false, false, "the message")
  lu.assertStrContains(tostring(err), here .. ":", false, false, "the blamed line")
  return err
end

local function argument(text, fn, ...)
  local err = refused(text, fn, ...)
  lu.assertEquals(type(err), "string")
  lu.assertStrContains(err, "bad argument #")
end

local function state(text, fn, ...)
  lu.assertTrue(aio.is(refused(text, fn, ...), aio.RuntimeError))
end

-- The library's functions blame the nearest Lua line, so each is called from one.
local function call(f, ...)
  local n, args = select("#", ...), { ... }
  return function() f(table.unpack(args, 1, n)) return true end
end

function T.test_arguments_outside_a_loop()
  argument("function expected, got nil", call(aio.run, nil))
  argument("did you call it? write run(f, 1)", call(aio.run, 5))
  argument("to 'main' (function expected, got number; did you call it? write main(f, 1)",
    call(aio.main, 5))
  argument("unknown option 'debgu' (there is: debug, loop_factory, signals)",
    call(aio.run_with, { debgu = true }, print))
  argument("to 'run_with'", call(aio.run_with, { debgu = true }, print))
  argument("an error class, or a list of them, expected",
    call(aio.catch, print, aio.TimeoutError))
  argument("or a list of them, expected, got nil", call(aio.catch, nil, print))
  argument("did you call it? write defer(f, 1)", call(aio.defer))
  argument("boolean expected, got number", call(aio.run_with, { debug = 1 }, print))
  argument("function expected", call(aio.defer, 1))
  argument("function expected", call(aio.async, {}))
end

function T.test_arguments_inside()
  aio.run(function()
    argument("number of seconds expected, got string", call(aio.sleep, "1"))
    argument("number of seconds expected, got no value", call(aio.sleep))
    argument("got nan", call(aio.sleep, 0 / 0))
    argument("at least one job expected", call(aio.wait, {}))
    argument("list of jobs expected, got number", call(aio.wait, 5))
    argument("list of jobs expected, got a task or future; write wait({ task }, ...)",
      call(aio.wait, aio.Future()))
    argument("return_when", call(aio.wait, { print }, { return_when = "SOON" }))
    argument("got nan", call(aio.wait, { print }, { timeout = 0 / 0 }))
    argument("did you call it? write create_task(f, 1)", call(aio.gather, 1, 2))
    argument("bad argument #2 to 'gather'", call(aio.gather, print, false))
    argument("did you call it? write create_task(f, 1)", call(aio.create_task, 1))
    argument("ensure_future", call(aio.create_task, aio.Future()))
    argument("awaitable expected", call(aio.await, print))
    argument("to 'wait_for'", call(aio.wait_for, 7, 2))
    argument("to 'wait_for'", call(aio.wait_for, 7, 0))
    argument("got nan", call(aio.timeout, 0 / 0))
    argument("number of seconds expected, got string", call(aio.timeout, "1"))
    argument("function expected", call(aio.timeout, 1, 5))
    argument("number of seconds expected", call(aio.wait_for, print, "x"))
    argument("limit", call(aio.map, print, {}, { limit = 0 }))
    argument("at least one job", call(aio.race))
    argument("unknown option", call(aio.TaskGroup, { supervised = true }))
    argument("an error expected, got nil", call(aio.Future().set_exception, aio.Future()))
    argument("__close expected", call(aio.ExitStack().enter, aio.ExitStack(), {}))
    lu.assertEquals(#aio.all_tasks(), 1)
  end)
end

function T.test_a_task_without_a_function()
  local said = "function expected, got no value; did you call it? write create_task(f, 1)"
  local function worker() end
  aio.run(function()
    local loop, group = aio.get_running_loop(), aio.TaskGroup()
    argument(said, function() aio.create_task(worker()) end)
    argument(said, function() loop:create_task(worker()) end)
    argument(said, function() group:create_task(worker()) end)
    argument("got number; did you call it?", function() group:create_task(5) end)
    argument("got an awaitable; use ensure_future", function() group:create_task(aio.Future()) end)
    argument("#2 to 'create_task_with' (function expected, got no value; did you call it?",
      function() group:create_task_with({}) end)
    argument("#2 to 'create_task_with' (function expected, got number",
      function() group:create_task_with({}, 5) end)
    argument("#2 to 'create_task_with' (function expected, got number",
      function() aio.create_task_with({}, 5) end)
    argument("#2 to 'create_task_with' (function expected, got number",
      function() loop:create_task_with({}, 5) end)
    argument("#3 to 'Task' (function expected, got number", call(aio.Task, loop, {}, 5))
    getmetatable(group).__close(group)
    lu.assertEquals(#aio.all_tasks(), 1)
  end)
end

function T.test_scopes_called_wrongly()
  aio.run(function()
    local group, scope = aio.TaskGroup(), aio.timeout(60)
    argument("#1 to 'run' (function expected, got number", function() group:run(5) end)
    argument("#1 to 'run' (function expected, got number", function() scope:run(5) end)
    for _, name in ipairs { "create_task", "create_task_with", "cancel", "run" } do
      argument("TaskGroup expected, got function; write a colon before '" .. name .. "'",
        call(group[name], print))
    end
    for _, name in ipairs { "when", "reschedule", "expired", "run" } do
      argument("Timeout expected, got function; write a colon", call(scope[name], print))
    end
    lu.assertEquals(scope:run(function() return "used" end), "used") -- they are as they were
    lu.assertEquals(group:run(function() return "used" end), "used")
  end)
end

function T.test_calls_of_functions()
  aio.run(function()
    argument("function expected, got number", call(aio.atomic, 5))
    argument("wait_for(function() return f(x) end, s) or create_task(f, x)",
      call(aio.wait_for, aio.sleep, 0.01, 1))
    argument("to 'format_call_graph' (Task or Future expected", call(aio.format_call_graph, 5))
    argument("to 'print_call_graph' (Task or Future expected", call(aio.print_call_graph, 5))
    for _ = 1, 3 do
      lu.assertStrContains(select(2, pcall(aio.select, 5)), "to 'aio.select'")
      lu.assertStrContains(select(2, pcall(aio.sleep, "x")), "to 'aio.sleep'")
    end
  end)
end

function T.test_options_of_gather_go_with_a_list()
  aio.run(function()
    local opts = { return_exceptions = true }
    argument("#2 to 'gather' (options go with a list of jobs: write gather({ f }, "
      .. "{ return_exceptions = true })", call(aio.gather, print, opts))
    argument("#3 to 'gather_future' (options go with a list",
      call(aio.gather_future, print, print, opts))
    local ok, err = pcall(aio.gather, { {} })
    lu.assertFalse(ok)
    lu.assertStrContains(err, "awaitable or function expected, got table)")
    lu.assertEquals(#aio.all_tasks(), 1)
  end)
end

function T.test_loop_arguments()
  aio.run(function()
    local loop = aio.get_running_loop()
    argument("function expected", call(loop.call_soon, loop, 1))
    argument("number expected", call(loop.call_later, loop, "x", print))
    argument("got nan", call(loop.call_later, loop, 0 / 0, print))
    argument("got nan", call(loop.call_at, loop, 0 / 0, print))
    argument("function or nil expected", call(loop.set_exception_handler, loop, 3))
    argument("function or nil expected", call(loop.set_task_factory, loop, 3))
    argument("Loop expected", call(loop.time, {}))
    argument("unknown option 'contxt'", call(aio.Future().add_done_callback, aio.Future(), print,
      { contxt = 1 }))
    refused("no field 'slow'", function() loop.slow = 1 end)
    local handle = loop:call_later(-5, function() end) -- a time that has passed
    lu.assertTrue(handle:when() <= loop:time() - 5)
    handle:cancel()
  end)
end

function T.test_waiting_where_it_is_impossible()
  state("outside a task", call(aio.sleep, 0))
  aio.run(function()
    local loop = aio.get_running_loop()
    state("aio.coroutine", coroutine.wrap(function() aio.sleep(0) end))
    state("string.gsub", function() ("x"):gsub("x", function() aio.sleep(0) end) end)
    state("table.sort", function()
      table.sort({ 1, 2, 3 }, function(a, b) aio.sleep(0) return a < b end)
    end)
    state("aio.atomic", function() aio.atomic(aio.sleep, 0) end)
    local err
    loop:call_soon(function() err = select(2, pcall(aio.sleep, 0)) end)
    aio.sleep(0)
    lu.assertStrContains(tostring(err), "a callback cannot wait")
  end)
end

function T.test_waiting_in_a_finalizer_is_reported()
  local reports = {}
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    setmetatable({}, { __gc = function() aio.sleep(0) end })
    collectgarbage()
  end)
  lu.assertEquals(#reports, 1)
  lu.assertStrContains(reports[1].exception.message, "__gc")
end

-- Finalizers that are taken out of the metatable, and called with anything.
function T.test_finalizers_called_by_hand()
  aio.run(function()
    local loop = aio.get_running_loop()
    local a <close>, b = aio.socketpair()
    local _ <close> = b
    local one, two = require("aio.pair").stream_pair()
    local _ <close>, _ = one, two
    local server <close> = aio.open_datagram { local_addr = { host = "127.0.0.1", port = 0 } }
    local file <close> = aio.open(arg[0])
    local objects = { loop, a, one, server, file, aio.Channel(1) }
    for i, object in ipairs(objects) do
      local gc = getmetatable(object).__gc
      for j, other in ipairs(objects) do
        if i ~= j then lu.assertErrorMsgContains("#1", gc, other) end
      end
      for _, other in ipairs { io.stdout, {}, 1, "x" } do
        lu.assertErrorMsgContains("#1", gc, other)
      end
      lu.assertErrorMsgContains("#1", gc)
    end
    state("running", call(getmetatable(loop).__gc, loop))
  end)
end

function T.test_a_stream_finalized_while_tasks_wait()
  aio.run(function()
    local waits = {
      function(conn) return conn:read(1) end, function(conn) return conn:read("l") end,
      function(conn) return conn:wait_closed() end,
      function(conn) return conn:write(("x"):rep(1 << 22)) end,
    }
    for _, wait in ipairs(waits) do
      local conn, peer = require("aio.pair").stream_pair()
      local waiting = aio.create_task(wait, conn)
      aio.sleep(0)
      getmetatable(conn).__gc(conn)
      peer:abort()
      state("closed", call(waiting.await, waiting))
    end
  end)
end

function T.test_loops_inside_loops()
  aio.run(function()
    local loop = aio.get_running_loop()
    state("inside a running loop", call(aio.run, print))
    state("running", call(loop.run_forever, loop))
    state("inside a running one", call(loop.run_until_complete, loop, aio.Future()))
    state("cannot close a running loop", call(loop.close, loop))
    state("running", call(loop.step, loop))
    local other <close> = aio.new_event_loop()
    state("another one runs", call(other.run_forever, other))
    state("another one runs", call(other.step, other))
  end)
end

function T.test_closed_things()
  local loop = aio.new_event_loop()
  loop:close()
  loop:close()
  for _, name in ipairs { "run_forever", "stop", "step", "time", "create_future", "fileno" } do
    state("closed", call(loop[name], loop))
  end
  state("closed", call(loop.call_soon, loop, print))
  state("closed", call(loop.create_task, loop, print))
  state("closed", call(loop.run_until_complete, loop, print))
  local runner = aio.Runner()
  runner:close()
  runner:close()
  state("closed", call(runner.run, runner, print))
end

function T.test_states_of_futures()
  aio.run(function()
    local f = aio.Future()
    local invalid = refused("not set yet", call(f.result, f))
    lu.assertTrue(aio.is(invalid, aio.InvalidStateError))
    refused("not set yet", call(f.exception, f))
    f:set_result(1)
    refused("done already", call(f.set_result, f, 2))
    refused("done already", call(f.set_exception, f, "x"))
    lu.assertEquals(f:await(), 1)
    local me = aio.current_task()
    state("cannot await itself", call(me.await, me))
    state("cannot wait for itself", call(aio.gather, me))
  end)
end

function T.test_scopes_need_a_task_and_are_used_once()
  state("belongs to a task", call(aio.timeout, 1))
  state("belongs to a task", call(aio.TaskGroup))
  aio.run(function()
    local scope = aio.timeout(60)
    getmetatable(scope).__close(scope)
    getmetatable(scope).__close(scope)
    state("been closed", call(scope.reschedule, scope, 1))
    local group = aio.TaskGroup()
    getmetatable(group).__close(group)
    state("finished", call(group.create_task, group, print))
  end)
end

-- A function that pcall, catch or a task calls has no name for Lua.
local function nameless(n, method, text, object, ...)
  for _, protect in ipairs { pcall, function(...) return pcall(aio.catch, aio.OSError, ...) end } do
    local ok, err = protect(object[method], object, ...)
    lu.assertFalse(ok)
    lu.assertStrContains(err, here .. ":")
    lu.assertStrContains(err, (": bad argument #%d to '%s' (%s"):format(n, method, text))
  end
end

function T.test_methods_that_are_called_without_a_name()
  aio.run(function()
    local a <close>, b = require("aio.testing").stream_pair()
    local _ <close> = b
    local datagram <close> = aio.open_datagram {}
    local path = os.tmpname()
    local file <close> = aio.open(path, "w")
    os.remove(path)
    nameless(1, "read", 'a number of bytes, "a"', a, "x")
    nameless(1, "write", "item 1 of the list is a table", a, { {} })
    nameless(1, "readexactly", "number expected, got string", a, "x")
    nameless(1, "readuntil", "a separator that is not empty", a, "")
    nameless(2, "send", "address expected", datagram, "x")
    nameless(1, "put", "nil cannot be put", aio.Queue())
    nameless(1, "put_nowait", "nil cannot be put", aio.PriorityQueue())
    nameless(1, "send", "nil cannot be sent", aio.Channel())
    nameless(1, "write", "string expected, got table", file, {})
    nameless(1, "seek", "invalid option 'x'", file, "x")
    nameless(2, "seek", "number expected, got string", file, "set", "x")
    nameless(1, "add_done_callback", "function expected, got no value", aio.Future())
    nameless(1, "set_exception", "an error expected", aio.Future())
    nameless(1, "call_later", "number expected", aio.get_running_loop(), "x", print)
    -- functions of the module
    local ok, err = pcall(aio.sleep, "x")
    lu.assertFalse(ok)
    lu.assertStrMatches(err, ".*test_misuse.lua:%d+: bad argument #1 to 'aio.sleep' %(number of.*")
    ok, err = pcall(a.read, datagram, 1)
    lu.assertFalse(ok)
    lu.assertStrContains(err, "calling 'read' on bad self (Stream expected, got Datagram)")
    -- the body of a task
    local task = aio.create_task(a.read, a, "x")
    aio.wait { task }
    lu.assertStrContains(task:exception(), "bad argument #1 to 'read'")
    -- a dot for a colon
    argument("#1 to 'read' (Stream expected, got number; write a colon before 'read')",
      function() a.read(5) return true end)
    argument("#1 to 'await' (Task or Future expected, got no value; write a colon before 'await')",
      function() task.await() return true end)
    argument("#1 to 'acquire' (Lock expected, got no value; write a colon before 'acquire')",
      function() aio.Lock().acquire() return true end)
    argument("got number; did you call it? write to_thread(fn, 1)",
      function() aio.to_thread(5) return true end)
    argument("did you call it? write generator(fn, 1)", function() aio.generator(5) return true end)
    -- with a name it is Lua's text
    argument("#1 to 'read' (a number of bytes", function() a:read "x" return true end)
  end)
end

function T.test_no_loop()
  state("no running loop", call(aio.create_task, print))
  state("no running loop", call(aio.Future))
  state("no running loop", call(aio.current_task))
  state("no running loop", call(aio.get_running_loop))
end

function T.test_blame_survives_a_tail_call()
  aio.run(function()
    local function tail() return aio.wait({}) end
    argument("at least one job expected", function()
      tail()
      return true
    end)
  end)
end

return T
