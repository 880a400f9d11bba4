-- SPDX-License-Identifier: MIT
--
-- TaskGroup: a scope that waits for its children; the first that fails cancels the others and the
-- body, and all errors leave together.

local core = require "aio.core"
local check = require "aio.check"
local scope = require "aio.scope"

local sleep, when_done = core.sleep, core._when_done

local ENDED = 0 -- the place of a child that has been counted out

local TaskGroup = { _kind = "the TaskGroup" }
TaskGroup.__index = TaskGroup
TaskGroup.__name = "TaskGroup"

-- Cancels the children that there are. Called again after it has failed (memory was out), it goes
-- on where it stood: no child may be asked twice.
local function abort(self)
  self._aborting = true
  while self._doomed < self._last do
    local child = self._children[self._doomed + 1]
    if child then child:cancel() end
    self._doomed = self._doomed + 1
  end
end

-- Interrupts the body, so that it comes to the end of its block, unless that is under way.
local function interrupt_body(self)
  if self._aborting and not self._interrupting then return end
  self._interrupting = true
  abort(self)
  if self._parent_cancelled then return end
  self._parent:cancel()
  self._parent_cancelled = true
end

local function report(self, task, err, message)
  self._loop:call_exception_handler {
    message = message, kind = "callback_error", exception = err, task = task,
    traceback = core._extra(task, "traceback"),
  }
end

-- What the end of a child means for the others.
local function react(self, task, err)
  if self._n == 0 and self._waiter and not self._waiter:done() then self._waiter:set_result() end
  if err == nil then return end
  if self._supervise then
    report(self, task, err, "a child of a supervising TaskGroup failed")
  elseif self._parent:done() then
    report(self, task, err, "a child failed after its TaskGroup's task had ended")
  else
    interrupt_body(self)
  end
end

-- Adds the error with which a task failed; the traceback of a plain value stands beside it.
local function note_error(self, task, err)
  local i = #self._errors + 1
  if not core.is(err, core.BaseError) then self._tracebacks[i] = core._extra(task, "traceback") end
  self._errors[i] = err
end

-- Counts a child out. Nothing here may fail after the error is noted.
local function count_out(self, task, err)
  if err ~= nil and not self._supervise then note_error(self, task, err) end
  local i = self._place[task]
  self._place[task], self._children[i] = ENDED, nil
  self._n = self._n - 1
end

-- The callback of a child. When memory is out it is called again, see core._when_done, and goes on.
local function on_done(self, task)
  if self._closed or not self._place[task] then return end -- seen already
  local err = not task:cancelled() and task:exception() or nil
  if self._place[task] ~= ENDED then count_out(self, task, err) end
  react(self, task, err)
  self._place[task] = nil
end

local function register(self, task, i)
  self._children[i] = task
  self._place[task] = i
  when_done(task, self._on_done)
end

-- Adds a child that exists; returns it. One that the group cannot watch is not left alone.
local function add(self, task)
  if self._place[task] then return task end -- a factory may give the same again
  local i = self._last + 1
  local ok, err = pcall(register, self, task, i)
  if not ok then
    self._children[i], self._place[task] = nil, nil
    task:cancel()
    error(err, 0)
  end
  self._last, self._n = i, self._n + 1
  if self._aborting then abort(self) end -- since its first, eager step
  return task
end

local function check_open(self)
  if self._closed or self._exiting and self._n == 0 then
    check.state("this TaskGroup is finished; make a new one")
  end
  if self._aborting then check.state("this TaskGroup is shutting down: no new tasks") end
end

--- A child task running `fn(...)`. RuntimeError when the group is finished or shutting down.
---@param ... any the function, which may be a thread that has not started, and its arguments
---@return table task
function TaskGroup:create_task(...)
  check.self(self, TaskGroup, "create_task")
  check_open(self)
  check.task_function(1, "create_task", ...)
  return add(self, self._loop:create_task(...))
end

--- The same with options.
---@param opts { name: any, context: table, eager_start: boolean }
---@param ... any the function and its arguments
---@return table task
function TaskGroup:create_task_with(opts, ...)
  check.self(self, TaskGroup, "create_task_with")
  check_open(self)
  return add(self, self._loop:create_task_with(opts, ...))
end

--- Cancels all children and ends the body; no error comes of it but the body's CancelledError,
--- which the function form absorbs.
function TaskGroup:cancel()
  check.self(self, TaskGroup, "cancel")
  if self._closed or self._aborting then return end
  self._stopped = true
  if self._exiting then
    abort(self)
  else
    interrupt_body(self)
  end
end

local function wait_once(self, failed)
  if failed then sleep(0) end -- it may have failed for want of memory: others must come to an end
  if self._aborting then abort(self) end
  if self._n == 0 then return end
  self._waiter = self._loop:create_future()
  core._extra(self._waiter, "of", self._children) -- for whoever asks who waits for whom
  core._extra(self._waiter, "by", "aio.TaskGroup")
  self._waiter:await()
end

-- Waits until all children have ended; a cancel while waiting cancels them. Returns the
-- CancelledError to raise afterwards, or nil; another error that came while waiting; and the last
-- CancelledError that came while the group was ending already.
local function join(self, cancelled)
  local failed, late -- failed: a deadlock, Ctrl-C, no memory
  while self._n > 0 do
    local ok, err = pcall(wait_once, self, failed)
    self._waiter = false
    if not ok then
      if core.is(err, core.CancelledError) then
        self._saw_cancel, late = true, err
        if not self._aborting then cancelled = err end
      elseif failed and core.is(err, core.BaseError) then
        break -- a deadlock again: children that ignore a cancel are left to the end of the loop
      else
        failed = failed or err
      end
      self._aborting = true
    end
  end
  return cancelled, failed, late
end

local function is_fatal(err) return core.is(err, core.SystemExit, core.KeyboardInterrupt) end

local function fatal_among(errors)
  for _, e in ipairs(errors) do
    if is_fatal(e) then return e end
  end
end

-- The end of the group, after the body: raises what there is to raise. True when the body's
-- CancelledError was the group's own and is used up.
local function finish(self, err)
  self._exiting = true
  local cancelled = core.is(err, core.CancelledError) and err or nil
  if err ~= nil then self._aborting = true end
  local failed, late
  cancelled, failed, late = join(self, cancelled)
  self._closed = true
  local parent = self._parent
  scope.closed(parent, self)
  local undelivered, others -- requests to cancel that are not the group's own
  if self._parent_cancelled then
    undelivered = core._cancel_pending(parent)
    others = parent:uncancel()
  end
  if failed then error(failed, 0) end
  local errors = self._errors
  local fatal = is_fatal(err) and err or fatal_among(errors)
  if fatal then error(fatal, 0) end
  if others == 0 then
    if err == nil and not undelivered and not self._saw_cancel and not cancelled then
      scope.swallowed(parent, "a TaskGroup was aborted")
    end
    cancelled = nil
  elseif others or self._stopped then
    cancelled = cancelled or late
  end
  if cancelled and #errors == 0 then error(cancelled, 0) end
  if err ~= nil and not core.is(err, core.CancelledError) then note_error(self, parent, err) end
  if #errors > 0 then
    if parent:cancelling() > 0 then
      parent:uncancel()
      parent:cancel()
    end
    error(core._group("unhandled errors in a TaskGroup", errors, err, self._tracebacks), 0)
  end
  return self._parent_cancelled
end

function TaskGroup:__close(err)
  if self._closed or self._waiter then return end
  finish(self, err)
end

local function conclude(self, ok, ...)
  if ok then
    finish(self)
    return ...
  end
  -- the body's CancelledError is absorbed when the group itself had interrupted it
  local err = ...
  if not finish(self, err) or not core.is(err, core.CancelledError) then error(err, 0) end
end

--- Calls `fn(...)` as the body, waits for the children, returns fn's results; for a group that is
--- looked at afterwards. [suspends]
---@param fn function
---@param ... any its arguments
---@return any ...
function TaskGroup:run(fn, ...)
  check.self(self, TaskGroup, "run")
  check_open(self)
  check.arg(check.callable(fn), 1, "run", "function expected, got " .. type(fn))
  return conclude(self, pcall(fn, ...))
end

local OPTIONS = { supervise = "boolean" }

local function new(opts)
  local parent = scope.task("aio.TaskGroup")
  local self = setmetatable({
    _parent = parent, _loop = parent:get_loop(), _children = {}, _place = {}, _last = 0, _n = 0,
    _errors = {}, _tracebacks = {}, _supervise = opts.supervise, _doomed = 0, _aborting = false,
    _interrupting = false, _parent_cancelled = false, _waiter = false,
  }, TaskGroup)
  function self._on_done(task) on_done(self, task) end
  scope.open(parent, self)
  return self
end

--- A scope whose children are waited for at its end: `local tg <close> = aio.TaskGroup()`. With a
--- function: calls fn(tg, ...), waits, returns its results [suspends]. { supervise = true }: a
--- child that fails goes to the exception handler and its siblings live.
---@param opts? table|function
---@param ... any behind the options the function, behind the function its arguments
---@return any ... the scope, or the function's results
local function make(opts, ...)
  if type(opts) == "function" then
    local self = new {}
    return self:run(opts, self, ...)
  end
  check.options(opts, OPTIONS, 1, "TaskGroup")
  local self = new(opts or {})
  local fn = ...
  if fn == nil then return self end
  check.arg(check.callable(fn), 2, "TaskGroup", "function expected, got " .. type(fn))
  return self:run(fn, self, select(2, ...))
end

return { TaskGroup = make, class = TaskGroup }
