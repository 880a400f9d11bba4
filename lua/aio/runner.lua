-- SPDX-License-Identifier: MIT
--
-- Running: run_until_complete, closing a loop, run, Runner, main. The turn itself is in C.

local core = require "aio.core"
local check = require "aio.check"
local executor = require "aio.executor"
local inspect = require "aio.inspect"
local job = require "aio.job"
local report = require "aio.report"
local stdio = require "aio.stdio"

local M = {}
local Loop = core._Loop
local pack, unpack = table.pack, table.unpack

-- ---- loop ----

--- Runs the loop until the job is done; its results, or its error. RuntimeError when the loop is
--- stopped before.
---@param x any a job
---@return any ...
function Loop:run_until_complete(x)
  if self:is_closed() then check.state "this loop is closed; make a new one with new_event_loop" end
  if core._running() then
    check.state("cannot run a loop inside a running one; in a task simply wait: "
      .. "aio.await(x), or call the function")
  end
  local ours = not core.isfuture(x)
  if not ours and x:get_loop() ~= self then
    check.argerror(1, "run_until_complete", "this future belongs to another loop; run that one")
  end
  local fut = job.ensure_on(self, x, "run_until_complete")
  local fields = self:_fields()
  fields.main = fut
  local ok, err = pcall(self.run_forever, self, fut)
  fields.main = nil
  if not ok then
    if ours and fut:done() then core._retrieved(fut) end
    error(err, 0)
  end
  if not fut:done() then check.state "the loop was stopped before the future was done" end
  return fut:result()
end

-- By creation, so that what is cancelled or reported comes in a defined order.
local function all_tasks(loop)
  local list = core.all_tasks(loop)
  local id = {}
  for _, t in ipairs(list) do id[t] = select(2, core._info(t)) end
  table.sort(list, function(a, b) return id[a] < id[b] end)
  return list
end

-- In debug mode: streams and servers that the loop has to close.
local function report_open(loop)
  for _, object in ipairs(core._made_all()) do
    local what = inspect.open_in(object, loop)
    if what then
      loop:call_exception_handler {
        message = ("a %s made at %s was open when its loop was closed; close it, or write "
          .. "`local x <close> = ...`"):format(what, core._made(object)),
        kind = "unclosed", level = "warning", conn = what == "stream" and object or nil,
      }
    end
  end
end

local function report_leftovers(loop)
  for _, task in ipairs(all_tasks(loop)) do
    loop:call_exception_handler {
      message = "task " .. task:get_name() .. " was pending when its loop was closed",
      kind = "unclosed", level = "warning", task = task,
    }
  end
  for _, fut in ipairs(core._watched(loop)) do report.never_retrieved(loop, fut) end
  if loop:get_debug() then report_open(loop) end
end

--- Closes the loop: callbacks and tasks that are left are dropped and reported. Closing twice does
--- nothing; a running loop raises RuntimeError.
function Loop:close()
  if self:is_closed() then return end
  if self:is_running() then check.state "cannot close a running loop; stop it first" end
  local ok, err = pcall(report_leftovers, self)
  pcall(executor.abandon, self)
  self:_close() -- whatever became of the reports: releasing needs no memory
  if not ok then error(err, 0) end
end

Loop.__close = Loop.close

-- ---- Runner ----

local THREAD_JOIN_S = 300 -- so long a run waits for calls in threads that nobody cancelled

-- A future that is done when all the tasks are. No task waits for them: while they end,
-- all_tasks() lists them alone.
local function ended(loop, tasks)
  local all, left, pending = loop:create_future(), #tasks, {}
  local function on_done(t) -- called again for a task when memory was out
    if pending[t] then
      pending[t], left = false, left - 1
    end
    if left == 0 and not all:done() then all:set_result() end
  end
  for _, t in ipairs(tasks) do
    pending[t] = true
    core._when_done(t, on_done)
  end
  return all
end

local function cancel_all(loop)
  local tasks = all_tasks(loop)
  if #tasks == 0 then return end
  for _, t in ipairs(tasks) do t:cancel() end
  loop:run_until_complete(ended(loop, tasks))
  for _, t in ipairs(tasks) do
    if not t:cancelled() then
      local err = t:exception()
      if err ~= nil then
        loop:call_exception_handler {
          message = "an error during the shutdown of aio.run", exception = err, task = t,
          traceback = core._extra(t, "traceback"),
        }
      end
    end
  end
end

-- Everything that a loop needs before it is closed.
local function wind_up(loop)
  cancel_all(loop)
  loop:run_until_complete(loop:create_task(function()
    if loop.shutdown_asyncgens then loop:shutdown_asyncgens() end
    loop:shutdown_default_executor(THREAD_JOIN_S)
    stdio.finish(loop)
  end))
end

local close, release, is_closed = Loop.close, Loop._close, Loop.is_closed

-- The loop is closed also after an error, and when memory is out. Lua may then be unable to make
-- its stack any larger, so the last call needs no more of it than the one before: a function at
-- hand, no method to look up, the same place for what is called.
local function shut_down(loop)
  local ok, err, reported, failure
  ok, err = pcall(wind_up, loop)
  reported, failure = pcall(close, loop)
  release(loop)
  if not ok then error(err, 0) end
  if not reported then error(failure, 0) end
end

local Runner = {}
Runner.__index = Runner
Runner.__name = "Runner"

local OPTIONS = { debug = "boolean", signals = "boolean", loop_factory = "function" }

local function refuse_here(name)
  if core._hosted() then
    check.state(name .. ": this Lua state is run by its host; start work with aio.create_task")
  end
  if core._running() then
    check.state(name .. " cannot be called inside a running loop: this code runs in one already, "
      .. "so call the function, or start it with aio.create_task")
  end
end

-- Makes the loop at the first use.
local function open(self)
  if self._state == "closed" then check.state "this Runner is closed; make a new one" end
  if self._loop then return self._loop end
  local loop = (self._opts.loop_factory or core.new_event_loop)()
  if self._opts.debug ~= nil then loop:set_debug(self._opts.debug) end
  self._loop = loop
  self._context = core._context_copy()
  return loop
end

--- A runner of several main functions on one loop, with one context.
---@param opts? { debug: boolean, signals: boolean, loop_factory: function }
---@return table Runner
function M.Runner(opts)
  opts = check.options(opts, OPTIONS, 1, "Runner")
  return setmetatable({ _opts = opts, _state = "open" }, Runner)
end

--- The runner's loop, made when it is first asked for. RuntimeError when the runner is closed.
---@return table
function Runner:get_loop() return open(self) end

-- Main was cancelled by Ctrl-C and did not absorb it.
local function interrupted(self, main, err)
  return self._interrupts > 0 and core.is(err, core.CancelledError) and main:uncancel() == 0
end

local function on_interrupt(self, main)
  self._interrupts = self._interrupts + 1
  if self._interrupts == 1 and not main:done() then main:cancel() end
end

-- Where the last main task failed, when its error cannot say so itself; for M.main.
local failed_at

--- Runs `fn(...)` as a task and returns its results, or raises its error unchanged.
---@param fn function
---@param ... any its arguments
---@return any ... its results
function Runner:run(fn, ...)
  check.arg(check.callable(fn), 1, "run", "function expected, got " .. type(fn)
    .. (core.isfuture(fn) and "; did you call it? write run(f, ...)" or ""))
  refuse_here "Runner:run"
  local loop = open(self)
  local main = core._task(loop, self._context, fn, ...)
  self._interrupts = 0
  local fields = loop:_fields()
  fields.interrupt = function() on_interrupt(self, main) end
  if core._signals then core._signals(loop, self._opts.signals ~= false) end
  local results = pack(pcall(loop.run_until_complete, loop, main))
  self._context = core._context_of(main)
  if core._signals then core._signals(loop, false) end
  fields.interrupt = nil
  failed_at = not results[1] and core._extra(main, "traceback") or nil
  if results[1] then return unpack(results, 2, results.n) end
  if interrupted(self, main, results[2]) then error(core.KeyboardInterrupt(), 0) end
  error(results[2], 0)
end

core._set_hook("interrupt", function(loop)
  local interrupt = loop:_fields().interrupt
  if interrupt then interrupt() end
end)

--- Cancels and awaits what is left, closes generators, joins the executor, closes the loop. May be
--- repeated; RuntimeError inside a running loop.
function Runner:close()
  if self._state == "closed" then return end
  self._state = "closed"
  local loop = self._loop
  self._loop = nil
  if loop and not is_closed(loop) then
    if core._running() then
      self._state, self._loop = "open", loop
      check.state "cannot close a Runner inside a running loop"
    end
    shut_down(loop)
  end
end

Runner.__close = Runner.close

-- ---- run, main ----

--- Runs `fn(...)` in a new loop with options. Raises what fn raises, unchanged.
---@param opts { debug: boolean, signals: boolean, loop_factory: function }
---@param fn function
---@param ... any its arguments
---@return any ... its results
function M.run_with(opts, fn, ...)
  refuse_here "aio.run"
  check.options(opts, OPTIONS, 1, "run_with")
  check.arg(check.callable(fn), 2, "run_with", "function expected, got " .. type(fn))
  local runner <close> = M.Runner(opts)
  return runner:run(fn, ...)
end

local function check_main(fn, name)
  if check.callable(fn) then return end
  check.argerror(1, name, core.isfuture(fn)
    and ("function expected, got a task; write %s(f, ...)"):format(name)
    or ("function expected, got %s; did you call it? write %s(f, 1)"):format(type(fn), name))
end

--- Runs `fn(...)` in a new loop; leftovers are cancelled and awaited, the loop is closed. Raises
--- what fn raises, unchanged; KeyboardInterrupt after Ctrl-C.
---@param fn function
---@param ... any its arguments
---@return any ... its results
function M.run(fn, ...)
  refuse_here "aio.run"
  check_main(fn, "run")
  local runner <close> = M.Runner()
  return runner:run(fn, ...)
end

local EXIT_FAILURE, EXIT_INTERRUPT = 1, 130

local function exit_code(err)
  if core.is(err, core.KeyboardInterrupt) then return EXIT_INTERRUPT end
  if not core.is(err, core.SystemExit) then return EXIT_FAILURE end
  local code = err.code
  if code == nil or code == true then return 0 end
  return math.type(code) == "integer" and code or EXIT_FAILURE
end

-- Where the errors of a group were raised: those that know it, each below its place in the group.
local function add_members(lines, group, place)
  local tracebacks = group.tracebacks or {}
  for i, err in ipairs(group.errors or {}) do
    local at, is_error = place .. i, core.is(err, core.BaseError)
    local traceback = is_error and err.traceback or tracebacks[i]
    if traceback then lines[#lines + 1] = ("error %s: %s"):format(at, traceback) end
    if is_error then add_members(lines, err, at .. ".") end
  end
end

-- What a script's user is told: nothing for a plain exit, else the error with its traceback.
local function print_failure(err)
  if core.is(err, core.SystemExit) then
    if err.code ~= nil and type(err.code) ~= "number" and type(err.code) ~= "boolean" then
      io.stderr:write(tostring(err.code), "\n")
    end
    return
  end
  local lines = { tostring(err), failed_at }
  if core.is(err, core.BaseError) then
    lines[2] = err.traceback
    add_members(lines, err, "")
  end
  io.stderr:write(table.concat(lines, "\n"), "\n")
end

--- `run` for scripts: prints an error with the traceback of its task and ends the process with 1,
--- SystemExit's code, or 130 after Ctrl-C. Returns fn's results otherwise.
---@param fn function
---@param ... any its arguments
---@return any ... its results
function M.main(fn, ...)
  check_main(fn, "main")
  local results = pack(pcall(M.run, fn, ...))
  if results[1] then return unpack(results, 2, results.n) end
  print_failure(results[2])
  os.exit(exit_code(results[2]), true)
end

return M
