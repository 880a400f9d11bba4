-- SPDX-License-Identifier: MIT
--
-- TaskGroup: a scope that waits for its children; the first that fails cancels the others and the
-- body, and all errors leave together.

local core = require "aio.core"
local check = require "aio.check"
local scope = require "aio.scope"

local TaskGroup = { _kind = "the TaskGroup" }
TaskGroup.__index = TaskGroup
TaskGroup.__name = "TaskGroup"

local function abort(self)
  self._aborting = true
  -- a copy, because a cancelled child may end at once
  local children = {}
  for i = 1, self._last do
    local t = self._children[i]
    if t then children[#children + 1] = t end
  end
  for _, t in ipairs(children) do t:cancel() end
end

-- Interrupts the body, so that it comes to the end of its block.
local function interrupt_body(self)
  if self._aborting or self._parent_cancelled then return end
  abort(self)
  self._parent_cancelled = true
  self._parent:cancel()
end

local function forget(self, task)
  local i = self._place[task]
  self._place[task], self._children[i] = nil, nil
  self._n = self._n - 1
  if self._n == 0 and self._waiter and not self._waiter:done() then self._waiter:set_result() end
end

local function report(self, task, err, message)
  self._loop:call_exception_handler {
    message = message, kind = "callback_error", exception = err, task = task,
  }
end

local function on_done(self, task)
  if not self._place[task] then return end -- seen already
  forget(self, task)
  if task:cancelled() then return end
  local err = task:exception()
  if err == nil then return end
  if self._supervise then
    report(self, task, err, "a child of a supervising TaskGroup failed")
    return
  end
  self._errors[#self._errors + 1] = err
  if self._parent:done() then
    report(self, task, err, "a child failed after its TaskGroup's task had ended")
    return
  end
  interrupt_body(self)
end

-- A child whose callback failed for want of memory has not said that it is done.
local function look_after_children(self)
  for i = 1, self._last do
    local t = self._children[i]
    if t and t:done() then on_done(self, t) end
  end
end

-- Adds a child that exists; returns it.
local function add(self, task)
  if task:done() then
    self._n, self._last = self._n + 1, self._last + 1
    self._children[self._last], self._place[task] = task, self._last
    on_done(self, task)
    return task
  end
  self._last = self._last + 1
  self._children[self._last], self._place[task] = task, self._last
  self._n = self._n + 1
  task:add_done_callback(self._on_done)
  return task
end

local function check_open(self)
  if self._closed or self._exiting and self._n == 0 then
    check.state("this TaskGroup is finished; make a new one")
  end
  if self._aborting then check.state("this TaskGroup is shutting down: no new tasks") end
end

--- A child task running `fn(...)`. RuntimeError when the group is finished or shutting down.
---@param fn function
---@return table task
function TaskGroup:create_task(fn, ...)
  check_open(self)
  return add(self, self._loop:create_task(fn, ...))
end

--- The same with options: { name=, context=, eager_start= }.
function TaskGroup:create_task_with(opts, fn, ...)
  check_open(self)
  return add(self, self._loop:create_task_with(opts, fn, ...))
end

--- Cancels all children and ends the body; no error comes of it but the body's CancelledError,
--- which the function form absorbs.
function TaskGroup:cancel()
  if self._closed or self._aborting then return end
  self._stopped = true
  if self._exiting then
    abort(self)
  else
    interrupt_body(self)
  end
end

-- Waits until all children have ended; a cancel while waiting cancels them. The CancelledError to
-- raise afterwards, or nil.
local function join(self, cancelled)
  local failed -- a deadlock, or Ctrl-C
  while self._n > 0 do
    self._waiter = self._loop:create_future()
    core._extra(self._waiter, "of", self._children) -- for whoever asks who waits for whom
    core._extra(self._waiter, "by", "aio.TaskGroup")
    local ok, err = pcall(self._waiter.await, self._waiter)
    if not ok then
      if not core.is(err, core.CancelledError) then
        failed = failed or err
        abort(self)
        look_after_children(self)
      else
        self._saw_cancel = true
        if not self._aborting then
          cancelled = err
          abort(self)
        end
      end
    end
    self._waiter = nil
  end
  return cancelled, failed
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
  if err ~= nil and not self._aborting then abort(self) end
  local failed
  cancelled, failed = join(self, cancelled)
  self._closed = true
  local parent = self._parent
  scope.closed(parent, self)
  if failed then error(failed, 0) end
  local errors = self._errors
  local fatal = is_fatal(err) and err or fatal_among(errors)
  if fatal then error(fatal, 0) end
  if self._parent_cancelled then
    local undelivered = core._cancel_pending(parent)
    if parent:uncancel() == 0 then
      if err == nil and not undelivered and not self._saw_cancel and not cancelled then
        scope.swallowed(parent, "a TaskGroup was aborted")
      end
      cancelled = nil
    end
  end
  if cancelled and #errors == 0 then error(cancelled, 0) end
  if err ~= nil and not core.is(err, core.CancelledError) then errors[#errors + 1] = err end
  if #errors > 0 then
    if parent:cancelling() > 0 then
      parent:uncancel()
      parent:cancel()
    end
    error(core._group("unhandled errors in a TaskGroup", errors, err), 0)
  end
  return self._parent_cancelled
end

function TaskGroup:__close(err)
  if self._closed or self._exiting then return end
  finish(self, err)
end

local pack, unpack = table.pack, table.unpack

--- Calls `fn(...)` as the body, waits for the children, returns fn's results; for a group that is
--- looked at afterwards. [suspends]
function TaskGroup:run(fn, ...)
  check_open(self)
  local results = pack(pcall(fn, ...))
  if results[1] then
    finish(self)
    return unpack(results, 2, results.n)
  end
  -- the body's CancelledError is absorbed when the group itself had interrupted it
  local err = results[2]
  if not finish(self, err) or not core.is(err, core.CancelledError) then error(err, 0) end
end

local OPTIONS = { supervise = "boolean" }

local function new(opts)
  local parent = scope.task("aio.TaskGroup")
  local self = setmetatable({
    _parent = parent, _loop = parent:get_loop(), _children = {}, _place = {}, _last = 0, _n = 0,
    _errors = {}, _supervise = opts.supervise,
  }, TaskGroup)
  function self._on_done(task) on_done(self, task) end
  scope.open(parent, self)
  return self
end

--- A scope whose children are waited for at its end: `local tg <close> = aio.TaskGroup()`. With a
--- function: calls fn(tg, ...), waits, returns its results [suspends]. { supervise = true }: a
--- child that fails goes to the exception handler and its siblings live.
---@param opts? table|function
---@return table|any ...
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
