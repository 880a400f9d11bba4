-- SPDX-License-Identifier: MIT
-- Random programs of tasks, scopes, locks, queues, futures and generators. Each of them and what it
-- did in CPython is in tests/conformance/random.txt, written by py/random_programs.py there: a line
-- "## {ops, ops, ...}", one list for each kind of task, then the trace. Nothing depends on a clock;
-- the order of every step must be the same.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"

local TURNS = 150 -- enough for what is not waiting for another to come to its end
local MAX_TASKS = 40

local Failure = aio.Error:extend("Failure")

local SHORT = {
  { aio.CancelledError, "cancelled" }, { aio.TimeoutError, "timeout" },
  { aio.QueueEmpty, "empty" }, { aio.QueueFull, "full" }, { aio.RuntimeError, "runtime" },
}

local function short(err)
  if aio.is(err, Failure) then return "E" .. err.message end
  if type(err) == "table" and err.errors then
    local names = {}
    for i, child in ipairs(err.errors) do names[i] = short(child) end
    return "group(" .. table.concat(names, " ") .. ")"
  end
  for _, pair in ipairs(SHORT) do
    if aio.is(err, pair[1]) then return pair[2] end
  end
  return tostring(err)
end

-- What a program works with, made anew for each.
local function new_world(program)
  local w = { program = program, trace = {}, tasks = {}, all = {}, index = {} }
  w.loop = aio.get_running_loop()
  w.loop:set_exception_handler(function() end)
  w.locks = { aio.Lock(), aio.Lock() }
  w.semaphores = { aio.Semaphore(1), aio.Semaphore(2) }
  w.events = { aio.Event(), aio.Event() }
  w.queues = { aio.Queue(1), aio.LifoQueue(2) }
  w.condition = aio.Condition()
  w.futures = { aio.Future(), aio.Future(), aio.Future() }
  w.var = aio.ContextVar("var", { default = 0 })
  function w.say(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    w.trace[#w.trace + 1] = table.concat(words, " ")
  end
  return w
end

local ops = {}

local function run_ops(w, me, list)
  for _, op in ipairs(list) do ops[op[1]](w, me, table.unpack(op, 2)) end
end

local function script(w, kind, number)
  local me = ("%d.%d"):format(kind, number)
  w.say(me, "starts", w.var:get())
  local ok, err = pcall(run_ops, w, me, w.program[kind])
  if not ok then
    w.say(me, "ends with", short(err))
    error(err, 0)
  end
  w.say(me, "ends")
  return kind
end

local function spawn(w, owner, kind)
  if #w.all == MAX_TASKS then return end
  local t = owner:create_task(script, w, kind, #w.all + 1)
  w.tasks[kind] = t
  w.all[#w.all + 1] = t
  w.index[t] = #w.all
end

-- The tasks last started of these kinds.
local function latest(w, kinds)
  local found = {}
  for _, kind in ipairs(kinds) do found[#found + 1] = w.tasks[kind] end
  return found
end

local function numbers(w, tasks)
  local list = {}
  for i, t in ipairs(tasks) do list[i] = w.index[t] end
  return "(" .. table.concat(list, " ") .. ")"
end

-- An op on the task last started of a kind; nothing where there is none.
local function on_task(name, fn)
  ops[name] = function(w, me, kind, ...)
    if w.tasks[kind] then w.say(me, name, kind, fn(w, w.tasks[kind], ...)) end
  end
end

on_task("await", function(_, t) return (t:await()) end)
on_task("shield", function(_, t) return (aio.shield(t):await()) end)
on_task("wait_for_zero", function(_, t) return (aio.wait_for(t, 0)) end)
on_task("cancel", function(_, t) return (t:cancel()) end)
on_task("callback", function(w, t)
  t:add_done_callback(function() w.say("done callback", w.index[t], w.var:get()) end)
  return "added"
end)

-- An op that is one call of a method of one of the world's objects.
local function on_object(name, list, method)
  ops[name] = function(w, me, i, ...)
    local object = w[list][i]
    local result = object[method](object, ...)
    w.say(me, name, i, type(result) == "number" and result or "")
  end
end

on_object("set", "events", "set")
on_object("clear", "events", "clear")
on_object("wait", "events", "wait")
on_object("put", "queues", "put")
on_object("get", "queues", "get")
on_object("put_nowait", "queues", "put_nowait")
on_object("get_nowait", "queues", "get_nowait")
on_object("join", "queues", "join")
on_object("task_done", "queues", "task_done")
on_object("future", "futures", "await")

local function on_new_future(name, settle)
  ops[name] = function(w, me, i)
    if w.futures[i]:done() then w.futures[i] = w.loop:create_future() end
    settle(w.futures[i], i)
    w.say(me, name, i)
  end
end

on_new_future("set_result", function(f, i) f:set_result(i) end)
on_new_future("set_exception", function(f, i) f:set_exception(Failure("f" .. i)) end)
on_new_future("cancel_future", function(f) f:cancel() end)

function ops.yield(w, me)
  aio.sleep(0)
  w.say(me, "yield")
end

function ops.spawn(w, me, kind)
  spawn(w, w.loop, kind)
  w.say(me, "spawn", kind)
end

function ops.cancel_self(w, me) w.say(me, "cancel self", aio.current_task():cancel()) end

function ops.uncancel(w, me) w.say(me, "uncancel", aio.current_task():uncancel()) end

function ops.context(w, me, value)
  w.var:set(value)
  w.say(me, "context", value)
end

function ops.call_soon(w, me)
  w.loop:call_soon(function() w.say(me, "called", w.var:get()) end)
end

function ops.raise(_, _, value) error(Failure(tostring(value))) end

function ops.wait_tasks(w, me, kinds, when)
  local tasks = latest(w, kinds)
  if #tasks == 0 then return end
  local done, pending = aio.wait(tasks, { return_when = aio[when] })
  w.say(me, "waited", numbers(w, done), numbers(w, pending))
end

function ops.gather(w, me, kinds)
  local results, errors = aio.gather(latest(w, kinds), { return_exceptions = true })
  local list = {}
  for i = 1, results.n do list[i] = errors[i] and short(errors[i]) or results[i] end
  w.say(me, "gathered", table.concat(list, " "))
end

function ops.as_completed(w, me, kinds)
  for t in aio.as_completed(latest(w, kinds)) do
    local ok, result = aio.catch(Failure, t.await, t)
    w.say(me, "completed", ok and result or short(result))
  end
end

function ops.notify(w, me, n)
  w.condition:notify(n)
  w.say(me, "notify")
end

function ops.wait_notified(w, me)
  w.condition:wait()
  w.say(me, "notified")
end

local function inside(w, me, what, object, list)
  do
    local _ <close> = object:acquire()
    w.say(me, "in", what)
    run_ops(w, me, list)
  end
  w.say(me, "out of", what)
end

function ops.lock(w, me, i, list) inside(w, me, "lock", w.locks[i], list) end

function ops.semaphore(w, me, i, list) inside(w, me, "semaphore", w.semaphores[i], list) end

function ops.condition(w, me, list) inside(w, me, "condition", w.condition, list) end

function ops.group(w, me, kinds, list)
  do
    local group <close> = aio.TaskGroup()
    for _, kind in ipairs(kinds) do spawn(w, group, kind) end
    run_ops(w, me, list)
  end
  w.say(me, "group over")
end

function ops.expired(w, me, list)
  do
    local _ <close> = aio.timeout(0)
    run_ops(w, me, list)
  end
  w.say(me, "in time")
end

function ops.swallow(w, me, list)
  if not aio.catch(aio.CancelledError, run_ops, w, me, list) then w.say(me, "swallows") end
end

function ops.catch(w, me, list)
  local ok, err = aio.pcall(run_ops, w, me, list)
  if not ok then w.say(me, "catches", short(err)) end
end

function ops.finally(w, me, list, last)
  local _ <close> = aio.defer(function()
    w.say(me, "finally")
    run_ops(w, me, last)
  end)
  run_ops(w, me, list)
end

local function generated(yield, w, me, before, between)
  local _ <close> = aio.defer(function()
    w.say(me, "generator ends")
    aio.sleep(0)
  end)
  run_ops(w, me, before)
  yield(1)
  run_ops(w, me, between)
  yield(2)
end

function ops.generator(w, me, leave_at, before, between)
  local g = aio.generator(generated, w, me, before, between)
  for value in g do
    w.say(me, "generated", value)
    if value == leave_at then break end
  end
  g:close()
  w.say(me, "generator closed")
end

local function turns()
  for _ = 1, TURNS do aio.sleep(0) end
end

local function cancel_unfinished(w)
  local unfinished = {}
  for _, t in ipairs(w.all) do
    if not t:done() then unfinished[#unfinished + 1] = t end
  end
  if #unfinished == 0 then return false end
  w.say("main cancels", numbers(w, unfinished))
  for _, t in ipairs(unfinished) do t:cancel() end
  return true
end

local function outcome(t)
  if not t:done() then return "pending" end
  if t:cancelled() then return "cancelled" end
  local err = t:exception()
  return err and short(err) or t:result()
end

local function run_program(program)
  local w = new_world(program)
  spawn(w, w.loop, 1)
  repeat turns() until not cancel_unfinished(w)
  for i, t in ipairs(w.all) do w.say(i, outcome(t), t:cancelling()) end
  w.say("locked", w.locks[1]:locked(), w.locks[2]:locked(), w.condition:locked(),
    w.semaphores[1]:locked(), "left", w.queues[1]:qsize(), w.queues[2]:qsize())
  return table.concat(w.trace, "\n") .. "\n"
end

local T = {}

function T.test_random_programs_run_as_in_cpython()
  local file = assert(io.open(env.root .. "/tests/conformance/random.txt"))
  local text = file:read("a")
  file:close()
  local count = 0
  for source, trace in text:gmatch("## ([^\n]*)\n(.-\n)\n") do
    local program = assert(load("return " .. source, "=program", "t", {}))()
    count = count + 1
    lu.assertEquals(aio.run(run_program, program), trace, source)
  end
  lu.assertTrue(count > 0)
end

return T
