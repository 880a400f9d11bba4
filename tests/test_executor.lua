-- SPDX-License-Identifier: MIT
-- Functions in worker threads: arguments, results, errors, executors and their ends, calls into
-- loops of other threads.

local aio = require "aio"
local core = require "aio.core"
local env = require "support.env"
local folder = require "support.folder"
local lu = require "luaunit"
local raised = require("support.tasks").raised_saying

local T = {}

local spin = env.endless()

-- ---- to_thread ----

function T.test_results_and_arguments()
  aio.run(function()
    lu.assertEquals({ aio.to_thread(function(a, b) return b, a end, 1, "two") }, { "two", 1 })
    local function all(...) return select("#", ...), nil, ... end
    local results = table.pack(aio.to_thread(all, nil, 2, nil))
    lu.assertEquals(results, { n = 5, 3, nil, nil, 2, nil })
    lu.assertEquals(select("#", aio.to_thread(function() end)), 0)
    lu.assertEquals(aio.to_thread(string.rep, "ab", 3), "ababab")
    local big = ("x"):rep(1 << 20)
    lu.assertIs(aio.to_thread(function(s) return s end, big), big)
  end)
end

function T.test_it_is_another_state_in_another_thread()
  aio.run(function()
    _G.test_here = 1
    local upvalue = 1
    lu.assertIsNil(aio.to_thread(function()
      upvalue, _G.test_there = 2, 1
      return _G.test_here
    end))
    lu.assertEquals(upvalue, 1)
    lu.assertIsNil(_G.test_there)
    _G.test_here = nil
  end)
end

function T.test_the_function_may_wait_and_use_the_network()
  aio.run(function()
    local function echo()
      local server <close> = aio.start_server(function(conn) conn:write(conn:readline()) end,
        "127.0.0.1", 0)
      local conn <close> = aio.open_connection("127.0.0.1", server.port)
      conn:write "hello\n"
      return conn:readline()
    end
    lu.assertEquals(aio.to_thread(echo), "hello\n")
    lu.assertEquals(aio.to_thread(function()
      local ok, err = pcall(aio.wait_for, function() aio.sleep(60) end, 0.01)
      return not ok and err.name
    end), "TimeoutError")
  end)
end

-- Nanoseconds for which each thread of this process has run, by its number.
local function times_of_threads()
  local times, task = {}, ("/proc/%d/task"):format(aio.getpid())
  local pipe = assert(io.popen("ls " .. task .. " 2>/dev/null"))
  for number in pipe:lines() do
    local file = io.open(("%s/%s/schedstat"):format(task, number))
    if file then
      times[number] = file:read "n"
      file:close()
    end
  end
  pipe:close()
  return times
end

function T.test_waiting_costs_no_processor_time()
  local before = times_of_threads()
  lu.skipIf(not next(before), "the system does not tell how long threads have run")
  aio.run(function()
    local there, back = aio.Channel(1), aio.Channel(1)
    local worker = aio.get_running_loop():run_in_executor(nil, function()
      for x in there:items() do back:send(x) end
    end)
    for i = 1, 200 do -- answers come at once: both threads look out for them
      there:send(i)
      lu.assertEquals(back:recv(), i)
    end
    -- No more come, so the worker, the only new thread, stops running. This ends only when it has.
    local last, same = nil, 0
    while same < 10 do
      local now = 0
      for number, ns in pairs(times_of_threads()) do
        if not before[number] then now = now + ns end
      end
      same = now == last and same + 1 or 0
      last = now
      aio.sleep(0.001)
    end
    there:close()
    worker:await()
  end)
end

function T.test_jobs_run_at_once()
  aio.run(function()
    local a, b = aio.Channel(1), aio.Channel(1)
    local function meet(mine, other) mine:send "here" return other:recv() end
    local x, y = aio.gather(
      function() return aio.to_thread(meet, a, b) end,
      function() return aio.to_thread(meet, b, a) end)
    lu.assertEquals({ x, y }, { "here", "here" })
  end)
end

function T.test_a_worker_has_the_modules_of_its_maker()
  package.preload["test.preloaded"] = function() return { answer = function() return 42 end } end
  aio.run(function()
    lu.assertEquals(aio.to_thread(function() return require("test.preloaded").answer() end), 42)
    lu.assertEquals(aio.to_thread(function() return package.path end), package.path)
  end)
  package.preload["test.preloaded"] = nil
end

function T.test_context_goes_along_as_a_copy()
  aio.run(function()
    local var, other = aio.ContextVar "v", aio.ContextVar "file"
    var:set "main"
    other:set(io.stdout) -- cannot cross, and is left out
    local nothing = aio.ContextVar("n", { default = 1 })
    nothing:set(nil)
    lu.assertEquals(table.pack(aio.to_thread(function()
      local seen = var:get()
      var:set "thread"
      return seen, other:get "unset", nothing:get()
    end)), { n = 3, "main", "unset", nil })
    lu.assertEquals(var:get(), "main")
  end)
end

-- ---- errors ----

function T.test_errors_come_back()
  aio.run(function()
    raised(nil, "test_executor.lua", aio.to_thread, function() error "text" end)
    local err = raised(aio.TimeoutError, "late", aio.to_thread, function()
      error(aio.TimeoutError("late", { n = 1 }))
    end)
    lu.assertEquals(err.n, 1)
    lu.assertStrContains(err.traceback, "test_executor.lua")
    local ok, value = pcall(aio.to_thread, function() error { code = 7 } end)
    lu.assertFalse(ok)
    lu.assertEquals(value, { code = 7 })
    for _, odd in ipairs { 42, 0.5, false, string.rep } do
      local fine, what = pcall(aio.to_thread, function() error(odd) end)
      lu.assertFalse(fine)
      lu.assertEquals(what, odd)
    end
    raised(aio.RuntimeError, "the error: a coroutine cannot cross", aio.to_thread, function()
      error(coroutine.create(print))
    end)
    raised(aio.RuntimeError, "the error: a table with a metatable", aio.to_thread, function()
      error(setmetatable({}, { __tostring = function() return "mine" end }))
    end)
    raised(aio.RuntimeError, "nil raised", aio.to_thread, function() error(nil) end)
    local group = raised(aio.ExceptionGroup, "1 error", aio.to_thread, function()
      aio.TaskGroup(function(tg) tg:create_task(error, aio.LookupError "x") end)
    end)
    lu.assertTrue(aio.is(group.errors[1], aio.LookupError))
  end)
end

function T.test_a_plain_error_brings_the_traceback_of_the_worker()
  aio.run(function()
    local function deep_inside() error "plain" end
    local function outside() deep_inside() return 1 end
    local future = aio.get_running_loop():run_in_executor(nil, outside)
    lu.assertFalse((pcall(future.await, future)))
    lu.assertStrContains(core._extra(future, "traceback"), "deep_inside")
  end)
end

function T.test_what_cannot_cross()
  aio.run(function()
    raised(nil, "argument 2.x: a userdata (FILE*)", aio.to_thread, print, { x = io.stdout })
    raised(nil, "test_executor.lua:", function() aio.to_thread(print, { x = io.stdout }) end)
    raised(nil, "argument 2.field[3]: a userdata", aio.to_thread, print,
      { field = { 1, 2, io.stdout } })
    raised(nil, "argument 1 (upvalue 'file')", function()
      local file = io.stdout
      aio.to_thread(function() return file end)
    end)
    raised(nil, "result 2[1]: a userdata", aio.to_thread, function() return 1, { io.stdout } end)
    local err = raised(aio.RuntimeError, "the error.file: a userdata", aio.to_thread, function()
      error(aio.Error("with a file", { file = io.stdout }))
    end)
    lu.assertStrContains(err.message, "with a file")
    raised(nil, "module 'test.nonesuch' not found", aio.to_thread, function()
      require "test.nonesuch"
    end)
    package.loaded["test.only.here"] = {}
    local here = package.loaded["test.only.here"]
    raised(nil, "module 'test.only.here' not found", aio.to_thread, function() return here end)
    package.loaded["test.only.here"] = nil
  end)
end

function T.test_wrong_arguments_and_states()
  raised(nil, "bad argument #1 to 'to_thread' (function expected, got nil", aio.to_thread)
  raised(aio.RuntimeError, "outside a task", aio.to_thread, print)
  raised(nil, "option 'max_workers': an integer of at least 1", aio.Executor, { max_workers = 0 })
  raised(nil, "option 'memory_limit'", aio.Executor, { memory_limit = 10 })
  raised(nil, "unknown option 'workers'", aio.Executor, { workers = 1 })
  raised(nil, "option 'initializer'", aio.Executor, { initializer = 1 })
  local file = io.stdout
  raised(nil, "option 'initializer' (upvalue 'file'): a userdata", aio.Executor,
    { initializer = function() return file end })
  aio.run(function()
    local loop = aio.get_running_loop()
    local ex <close> = aio.Executor()
    raised(nil, "#1 to 'submit'", ex.submit, ex, 1)
    raised(nil, "write a colon", ex.submit, print)
    raised(nil, "#2 to 'map' (list expected", ex.map, ex, print)
    raised(nil, "argument 2[2].f: a userdata", ex.map, ex, print, { 1, { f = io.stdout } })
    raised(nil, "Executor or nil expected", loop.run_in_executor, loop, 1, print)
    raised(nil, "#2 to 'run_in_executor'", loop.run_in_executor, loop, nil, 1)
    raised(nil, "Executor expected", loop.set_default_executor, loop, {})
    raised(nil, "loop expected, got nil", aio.run_coroutine_threadsafe, print, nil)
    raised(aio.RuntimeError, "aio.atomic", aio.atomic, aio.to_thread, print)
    loop:call_soon(raised, aio.RuntimeError, "a callback cannot wait", aio.to_thread, print)
    aio.sleep(0)
  end)
end

-- ---- executors ----

function T.test_max_workers_is_kept_and_threads_are_used_again()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 2 }
    lu.assertEquals(ex.max_workers, 2)
    local ids = ex:map(function() aio.sleep(0.001) return tostring(_G) end,
      { 1, 2, 3, 4, 5, 6, 7, 8 })
    local different = {}
    for _, id in ipairs(ids) do different[id] = true end
    local n = 0
    for _ in pairs(different) do n = n + 1 end
    lu.assertTrue(n <= 2)
    lu.assertEquals(tostring(ex), "Executor: 2 of 2 workers")
  end)
end

function T.test_map_keeps_the_order()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 3 }
    local list = {}
    for i = 1, 50 do list[i] = i end
    local function square(x, i) aio.sleep(0.0001 * (x % 3)) return x * x + i - x end
    local results = ex:map(square, list)
    lu.assertEquals(results.n, 50)
    for i = 1, 50 do lu.assertEquals(results[i], i * i) end
    lu.assertEquals(ex:map(print, {}), { n = 0 })
    raised(aio.LookupError, "three", ex.map, ex, function(x)
      if x == 3 then error(aio.LookupError "three") end
      aio.sleep(x > 3 and 3600 or 0)
    end, { 1, 2, 3, 4, 5 })
  end)
end

function T.test_the_initializer_runs_first_in_each_worker()
  aio.run(function()
    local base = 40
    local ex <close> = aio.Executor {
      max_workers = 1,
      initializer = function() aio.sleep(0) _G.test_base = base end,
    }
    lu.assertEquals(ex:submit(function() return _G.test_base + 2 end):await(), 42)
  end)
end

function T.test_an_initializer_that_fails_fails_all_calls()
  aio.run(function()
    local function fail() error "no luck" end
    local ex <close> = aio.Executor { max_workers = 1, initializer = fail }
    local futures = {}
    for i = 1, 3 do futures[i] = ex:submit(print) end
    for i = 1, 3 do
      raised(aio.RuntimeError, "the worker could not start", futures[i].await, futures[i])
    end
    raised(aio.RuntimeError, "no luck", function() ex:submit(print):await() end)
  end)
end

function T.test_a_worker_that_cannot_find_aio_says_so()
  aio.run(function()
    local path = package.path
    package.path = "/nonexistent/?.lua"
    local ex <close> = aio.Executor()
    package.path = path
    raised(aio.RuntimeError, "module 'aio.worker' not found", function()
      ex:submit(print):await()
    end)
  end)
end

-- In a process of its own, which may have no more than so many descriptors. Each round has a worker
-- that gets further than that of the round before: to aio's files, to parts of a loop.
function T.test_no_descriptor_is_left()
  lu.skipIf(env.valgrind, "valgrind needs descriptors of its own")
  local text = folder.with(function(dir)
    folder.put(dir .. "/program.lua", [[
      local aio = require "aio"
      local function call() return aio.to_thread(string.rep, "x", 2) end
      local function without_descriptors(left)
        local held = {}
        repeat
          local file = io.open "/dev/null"
          held[#held + 1] = file
        until not file
        for _ = 1, left do table.remove(held):close() end
        aio.get_running_loop():set_default_executor(aio.Executor { max_workers = 1 })
        local ok, err = pcall(call)
        for _, file in ipairs(held) do file:close() end
        print(ok, err.name, err.code, err.message:match "^.-:")
      end
      aio.run(function()
        without_descriptors(0)
        print(call())
        without_descriptors(0)
        without_descriptors(1)
        print(call())
      end)]])
    local pipe = assert(io.popen("ulimit -n 64; " .. env.command(dir .. "/program.lua 2>&1")))
    local out = pipe:read "a"
    pipe:close()
    return out
  end)
  local failed = "false\tOSError\tEMFILE\tthe worker could not start:\n"
  lu.assertEquals(text, failed .. "xx\n" .. failed .. failed .. "xx\n")
end

function T.test_files_of_aio_are_compiled_once_for_all_workers()
  folder.with(function(dir)
    assert(os.execute("mkdir " .. dir .. "/aio"))
    folder.put(dir .. "/aio/of_the_test.lua", "return function() error 'first' end")
    folder.put(dir .. "/program.lua", [[
      local dir = ...
      local first = package.path
      package.path = dir .. "/?.lua;" .. first
      local aio = require "aio"
      local function where() -- in a worker of a new executor
        local ex <close> = aio.Executor { max_workers = 1 }
        local future = ex:submit(function() require "aio.of_the_test" () end)
        return select(2, pcall(future.await, future))
      end
      aio.run(function()
        print((where():gsub(".*/", "")))
        local file = assert(io.open(dir .. "/aio/of_the_test.lua", "w"))
        file:write "\n\nreturn function() error 'second' end"
        file:close()
        print((where():gsub(".*/", ""))) -- what was compiled, with its lines
        package.path = dir .. "/?.lua;;" .. first
        print((where():gsub(".*/", ""))) -- another path, another file perhaps
      end)
    ]])
    local pipe = assert(io.popen(env.command(("%s/program.lua %s 2>&1"):format(dir, dir))))
    local text = pipe:read "a"
    pipe:close()
    lu.assertEquals(text, "of_the_test.lua:1: first\nof_the_test.lua:1: first\n"
      .. "of_the_test.lua:3: second\n")
  end)
end

function T.test_shutdown()
  aio.run(function()
    local ex = aio.Executor { max_workers = 1 }
    local a, b = ex:submit(aio.sleep, 0.01, "a"), ex:submit(aio.sleep, 0, "b")
    lu.assertTrue(ex:shutdown())
    lu.assertEquals({ a:await(), b:await() }, { "a", "b" })
    raised(aio.RuntimeError, "shut down", ex.submit, ex, print)
    lu.assertTrue(ex:shutdown()) -- again is nothing
    ex = aio.Executor { max_workers = 1 }
    local gate, begun = aio.Channel(1), aio.Channel(1)
    a = ex:submit(function() begun:send(1) return gate:recv() end)
    b = ex:submit(print, "never")
    begun:recv()
    lu.assertFalse(ex:shutdown { wait = false, cancel_futures = true })
    raised(aio.CancelledError, "", b.await, b)
    gate:send "go"
    lu.assertEquals(a:await(), "go")
    lu.assertTrue(ex:shutdown())
  end)
end

function T.test_shutdown_with_a_timeout_stops_what_runs()
  aio.run(function()
    local ex = aio.Executor { max_workers = 2 }
    local started = aio.Channel(2)
    local busy = ex:submit(function() started:send(1) spin() end)
    local stubborn = ex:submit(function()
      started:send(2)
      while true do pcall(spin) end
    end)
    started:recv()
    started:recv()
    lu.assertFalse(ex:shutdown { timeout = 0.01 })
    raised(nil, "", busy.await, busy)
    raised(nil, "", stubborn.await, stubborn)
    lu.assertTrue(ex:shutdown())
  end)
end

function T.test_shutdown_with_a_timeout_cancels_what_has_not_begun()
  aio.run(function()
    local ex = aio.Executor { max_workers = 1 }
    local started = aio.Channel(1)
    local busy = ex:submit(function() started:send(1) spin() end)
    local queued = ex:submit(spin)
    started:recv()
    lu.assertFalse(ex:shutdown { timeout = 0.01 })
    raised(nil, "", busy.await, busy)
    lu.assertTrue(ex:shutdown())
    lu.assertTrue(queued:cancelled())
  end)
end

function T.test_the_end_of_a_block_waits_and_after_an_error_stops()
  aio.run(function()
    local future
    do
      local ex <close> = aio.Executor()
      future = ex:submit(aio.sleep, 0.01, "done")
    end
    lu.assertTrue(future:done() or future:await() == "done")
    local endless
    raised(nil, "oops", function()
      local ex <close> = aio.Executor()
      local started = aio.Channel(1)
      endless = ex:submit(function() started:send(1) spin() end)
      started:recv()
      error "oops"
    end)
    lu.assertFalse((pcall(endless.await, endless)))
  end)
end

function T.test_an_executor_that_nobody_shuts_down()
  aio.run(function()
    aio.Executor():submit(aio.sleep, 0):await()
    local endless = aio.Executor():submit(spin)
    endless:cancel()
  end)
  collectgarbage()
  collectgarbage()
end

function T.test_the_default_executor()
  aio.run(function()
    local loop = aio.get_running_loop()
    local ex = aio.Executor { max_workers = 1 }
    loop:set_default_executor(ex)
    lu.assertEquals(loop:run_in_executor(nil, function(x) return x end, 5):await(), 5)
    lu.assertEquals(loop:run_in_executor(ex, function(x) return x end, 6):await(), 6)
    lu.assertEquals(tostring(ex), "Executor: 1 of 1 workers")
    loop:shutdown_default_executor()
    lu.assertEquals(tostring(ex), "Executor: 0 of 1 workers")
    raised(aio.RuntimeError, "is shut down", aio.to_thread, print)
  end)
end

function T.test_the_default_executor_is_given_a_time()
  aio.run(function()
    local loop, kinds = aio.get_running_loop(), {}
    loop:set_exception_handler(function(_, ctx) kinds[#kinds + 1] = ctx.kind end)
    local started = aio.Channel(1)
    local busy = loop:run_in_executor(nil, function() started:send(1) spin() end)
    started:recv()
    loop:shutdown_default_executor(0.01)
    lu.assertEquals(kinds, { "unclosed" })
    lu.assertFalse((pcall(busy.await, busy)))
  end)
end

function T.test_a_loop_that_is_closed_under_its_workers()
  local loop = aio.new_event_loop()
  local started = aio.Channel(1)
  loop:run_until_complete(function()
    loop:run_in_executor(nil, function() started:send(1) spin() end)
    started:recv()
  end)
  loop:close()
end

-- A worker that is stopped while its call still winds up, task after task: its loop stays open, and
-- its closing by the collector does not answer the call again.
function T.test_stopped_while_a_call_winds_up()
  local function chain(ch, n)
    local aio = require "aio" -- luacheck: ignore
    if n > 0 then return aio.create_task(chain, ch, n - 1):await() end
    ch:send "deep"
    aio.sleep(3600)
  end
  local reports = {}
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      reports[#reports + 1] = ctx.message
    end)
    for _ = 1, 5 do
      local ch, future = aio.Channel(1), nil
      lu.assertErrorMsgContains("out", function()
        local ex <close> = aio.Executor { max_workers = 1 }
        future = ex:submit(chain, ch, 30)
        ch:recv()
        error "out"
      end)
      raised(aio.CancelledError, "", future.await, future)
      future = nil -- luacheck: ignore
      collectgarbage()
    end
  end)
  lu.assertEquals(reports, {})
end

-- ---- run_coroutine_threadsafe ----

function T.test_calls_into_the_loop_of_another_thread()
  aio.run(function()
    local loop = aio.get_running_loop()
    lu.assertEquals({ aio.to_thread(function()
      return aio.run_coroutine_threadsafe(function(a, b)
        aio.sleep(0)
        return a + b, "there"
      end, loop, 1, 2):await()
    end) }, { 3, "there" })
    local err = raised(aio.LookupError, "not here", aio.to_thread, function()
      aio.run_coroutine_threadsafe(function() error(aio.LookupError "not here") end, loop):await()
    end)
    lu.assertStrContains(err.traceback, "test_executor.lua")
    lu.assertEquals(aio.run_coroutine_threadsafe(function(x) return x end, loop, 7):await(), 7)
    raised(nil, "argument 3.f: a userdata", aio.run_coroutine_threadsafe, print, loop,
      { f = io.stdout })
    raised(nil, "argument 1 (upvalue", function()
      local file = io.stdout
      aio.run_coroutine_threadsafe(function() return file end, loop)
    end)
  end)
end

function T.test_cancelling_such_a_call_cancels_the_task_over_there()
  aio.run(function()
    local loop, log = aio.get_running_loop(), aio.Channel(5)
    aio.to_thread(function()
      local future = aio.run_coroutine_threadsafe(function()
        local _ <close> = aio.defer(log.send, log, "cancelled")
        log:send "started"
        aio.sleep(3600)
      end, loop)
      while log:qsize() == 0 do aio.sleep(0) end
      future:cancel()
    end)
    lu.assertEquals({ log:recv(), log:recv() }, { "started", "cancelled" })
  end)
end

function T.test_a_call_into_a_loop_that_ends()
  local log = aio.Channel(1)
  aio.run(function()
    local other = aio.Runner()
    local loop = aio.get_running_loop()
    local ex = aio.Executor()
    -- the worker's own loop is the one that is closed
    local handle = ex:submit(function() return aio.get_running_loop() end):await()
    ex:shutdown()
    local future = aio.run_coroutine_threadsafe(print, handle, "never")
    raised(aio.RuntimeError, "was closed", future.await, future)
    lu.assertNotNil(loop)
    other:close()
  end)
  lu.assertEquals(log:qsize(), 0)
end

return T
