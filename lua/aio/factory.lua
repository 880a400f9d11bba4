-- SPDX-License-Identifier: MIT
--
-- Making tasks with options: names, contexts, eager starts, and task factories. The plain
-- create_task is in C (bind/task.c) and comes here only when a factory is set.

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local OPTIONS = { name = true, context = "table", eager_start = "boolean" }
local DEEPEST_EAGER = 32 -- eager starts in eager starts; deeper ones wait for the next turn

local eager_depth = 0

local function start_now(task)
  if eager_depth >= DEEPEST_EAGER then return end
  eager_depth = eager_depth + 1
  core._step_now(task)
  eager_depth = eager_depth - 1
end

--- A plain task on `loop`, without going through a factory: what a factory usually returns.
---@param loop table
---@param opts? { name: any, context: table, eager_start: boolean }
---@param fn function
---@param ... any its arguments
---@return table task
function M.Task(loop, opts, fn, ...)
  opts = check.options(opts, OPTIONS, 2, "Task")
  check.task_function(3, "Task", fn)
  local task = core._task(loop, opts.context, fn, ...)
  if opts.name ~= nil then task:set_name(opts.name) end
  if opts.eager_start and core._running() == loop then start_now(task) end
  return task
end

--- A task factory whose tasks `constructor` makes, to be started at once.
---@param constructor function called as aio.Task is: (loop, opts, fn, ...), returns a task
---@return function
function M.create_eager_task_factory(constructor)
  check.arg(check.callable(constructor), 1, "create_eager_task_factory",
    "function expected, got " .. type(constructor))
  return function(loop, opts, fn, ...)
    local eager = { eager_start = true }
    for k, v in pairs(opts) do eager[k] = v end
    return constructor(loop, eager, fn, ...)
  end
end

--- A task factory whose tasks start at once, in the creating task's turn.
---@param loop table
---@param opts { name: any, context: table }
---@param fn function
---@param ... any its arguments
---@return table task
M.eager_task_factory = M.create_eager_task_factory(M.Task)

local function by_factory(loop, opts, fn, ...)
  local factory = loop:_fields().task_factory
  local task = core.atomic(factory, loop, opts, fn, ...)
  if not core.isfuture(task) then
    check.state("the task factory returned " .. type(task) .. ", not a task")
  end
  return task
end

core._set_hook("create_by_factory", function(loop, fn, ...)
  return by_factory(loop, {}, fn, ...)
end)

local Loop = core._Loop

--- Tasks of this loop are made by `factory(loop, opts, fn, ...)`; nil: the plain way again.
---@param factory function|nil
function Loop:set_task_factory(factory)
  check.arg(factory == nil or check.callable(factory), 1, "set_task_factory",
    "function or nil expected, got " .. type(factory))
  self:_fields().task_factory = factory
  self:_flags { factory = factory ~= nil }
end

--- The task factory or nil.
---@return function|nil
function Loop:get_task_factory() return self:_fields().task_factory end

--- A task running `fn(...)`, with options.
---@param opts { name: any, context: table, eager_start: boolean }
---@param ... any the function and its arguments
---@return table task
function Loop:create_task_with(opts, ...)
  check.options(opts, OPTIONS, 1, "create_task_with")
  check.task_function(2, "create_task_with", ...)
  if self:_fields().task_factory then return by_factory(self, opts or {}, ...) end
  return M.Task(self, opts, ...)
end

--- The same on the running loop; RuntimeError when there is none.
---@param opts { name: any, context: table, eager_start: boolean }
---@param ... any the function and its arguments
---@return table task
function M.create_task_with(opts, ...)
  check.options(opts, OPTIONS, 1, "create_task_with")
  check.task_function(2, "create_task_with", ...)
  local loop = core._running() or core._current_loop()
  if not loop then
    check.state("no running loop; call this in a task: aio.run(fn, ...) starts one")
  end
  return loop:create_task_with(opts, ...)
end

return M
