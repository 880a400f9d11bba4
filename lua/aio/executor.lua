-- SPDX-License-Identifier: MIT
--
-- Executors: functions that run in worker threads, each with a Lua state and a loop of its own. The
-- threads and the queue are in C (bind/crew.c, bind/worker.c).

local core = require "aio.core"
local check = require "aio.check"
local context = require "aio.context"
local gather = require "aio.gather"
local timeout = require "aio.timeout"

local M = {}
local Loop = core._Loop

local MORE_THAN_PROCESSORS, MOST = 4, 32 -- workers by default, as in asyncio
local LEAST_MEMORY = 4 << 20 -- aio itself needs about half of it

local Executor = {}
Executor.__index = Executor
Executor.__name = "Executor"
M.class = Executor

local function check_function(fn, n, name)
  if type(fn) == "function" then return end
  check.argerror(n, name, "function expected, got " .. type(fn)
    .. (check.callable(fn) and "" or "; did you call it? write " .. name .. "(fn, 1)"))
end

local OPTIONS = { max_workers = "number", memory_limit = "number", initializer = "function" }

local function integer(opts, name, least)
  local value = opts[name]
  if value == nil then return nil end
  local whole = math.tointeger(value)
  check.arg(whole and whole >= least, 1, "Executor",
    ("option '%s': an integer of at least %d expected, got %s"):format(name, least, value))
  return whole
end

-- The functions in Lua that package.preload has, as far as they can cross; those in C go by
-- themselves.
local function preloads()
  local list
  for name, loader in pairs(package.preload) do
    local ours = type(name) ~= "string" or name:find "^aio%f[.\0]"
    if not ours and debug.getinfo(loader, "S").what ~= "C" and pcall(core._copy_size, loader) then
      list = list or {}
      list[name] = loader
    end
  end
  return list
end

--- A number of worker threads, started when they are needed.
---@param opts? { max_workers: integer, memory_limit: integer, initializer: function }
--- `max_workers`: how many at most, by default the processors and 4, at most 32; `memory_limit`:
--- bytes for the Lua state of each; `initializer`: called first in each of them
---@return table Executor
function M.Executor(opts)
  opts = check.options(opts, OPTIONS, 1, "Executor")
  local most = integer(opts, "max_workers", 1)
    or math.min(MOST, core._processors() + MORE_THAN_PROCESSORS)
  local limit = integer(opts, "memory_limit", LEAST_MEMORY)
  local self = setmetatable({
    max_workers = most,
    _crew = core._crew(most, limit or 0, opts.initializer, preloads()),
  }, Executor)
  core._note_made(self)
  return self
end

--- Is it an executor that nobody has shut down, and that no loop will?
function M.is_left(object, loop)
  return getmetatable(object) == Executor and not object._closed
    and loop:_fields().executor ~= object
end

-- The future of fn(...), which is argument `n` of the function to blame.
local function submit(executor, n, fn, ...)
  return core._crew_submit(executor._crew, n, context.portable(), fn, ...)
end

--- Runs `fn(...)` in a worker, as a task of its loop.
---@param fn function
---@param ... any copied
---@return table Future of its results; cancelling it cancels the task
function Executor:submit(fn, ...)
  check.self(self, Executor, "submit")
  check_function(fn, 1, "submit")
  return submit(self, 1, fn, ...)
end

--- Calls `fn(item, i)` in the workers for each item of the list; the first results, in order. The
--- first error cancels the rest. [suspends]
---@param fn function
---@param list table
---@return table results with n
function Executor:map(fn, list)
  check.self(self, Executor, "map")
  check_function(fn, 1, "map")
  check.arg(type(list) == "table", 2, "map", "list expected, got " .. type(list))
  core._check_wait()
  local futures = {}
  local function cancel_all()
    for _, future in ipairs(futures) do future:cancel() end
  end
  for i = 1, #list do
    local ok, future = pcall(submit, self, 1, fn, list[i], i)
    if not ok then
      cancel_all()
      if type(future) == "string" then
        future = future:gsub("argument 2", ("argument 2[%d]"):format(i), 1)
      end
      error(future, 0)
    end
    futures[i] = future
  end
  if #futures == 0 then return { n = 0 } end
  local ok, results = pcall(gather.gather, futures)
  if ok then return results end
  cancel_all()
  error(results, 0)
end

-- Waits for the ends of all workers, at most so long; what runs then is stopped where it is.
local function join(executor, seconds)
  if not seconds then
    core._crew_join(executor._crew)
    return true
  end
  local ok, err = pcall(timeout.timeout, seconds, core._crew_join, executor._crew)
  if ok then return true end
  if not core.is(err, core.TimeoutError) then error(err, 0) end
  core._crew_stop(executor._crew)
  return false
end

local SHUTDOWN = { wait = "boolean", cancel_futures = "boolean", timeout = "number" }

--- Takes no more work, and waits until all is done and the threads have ended. [suspends]
---@param opts? { wait: boolean, cancel_futures: boolean, timeout: number } `wait = false` returns
--- at once; `cancel_futures` cancels what has not begun; after `timeout` seconds what still runs is
--- stopped where it is, and what has not begun is cancelled
---@return boolean whether all had ended in time
function Executor:shutdown(opts)
  check.self(self, Executor, "shutdown")
  opts = check.options(opts, SHUTDOWN, 1, "shutdown")
  check.seconds(opts.timeout, 1, "shutdown")
  if opts.wait ~= false then core._check_wait() end
  core._crew_close(self._crew, opts.cancel_futures)
  self._closed = true
  if opts.wait == false then return core._crew_workers(self._crew) == 0 end
  return join(self, opts.timeout)
end

-- The end of the block: waits for all; after an error everything is cancelled.
function Executor:__close(err)
  core._crew_close(self._crew, err ~= nil)
  self._closed = true
  if err ~= nil then core._crew_stop(self._crew) end
  core._crew_join(self._crew)
end

function Executor:__tostring()
  return ("Executor: %d of %d workers"):format(core._crew_workers(self._crew), self.max_workers)
end

-- ---- the loop's own ----

local function default_of(loop)
  local fields = loop:_fields()
  if fields.executor_ended then
    check.state "the default executor of this loop is shut down; make an aio.Executor"
  end
  fields.executor = fields.executor or M.Executor()
  return fields.executor
end

--- Runs `fn(...)` in a worker of the executor, nil: of the loop's own.
---@param executor table|nil
---@param fn function
---@param ... any copied
---@return table Future
function Loop:run_in_executor(executor, fn, ...)
  check.arg(executor == nil or getmetatable(executor) == Executor, 1, "run_in_executor",
    "Executor or nil expected, got " .. type(executor))
  check_function(fn, 2, "run_in_executor")
  if self:is_closed() then check.state "this loop is closed; make a new one with new_event_loop" end
  if core._running() ~= self and core._current_loop() ~= self then
    check.state "run_in_executor: this loop does not run; call it in a task"
  end
  return submit(executor or default_of(self), 2, fn, ...)
end

--- The executor that to_thread and run_in_executor(nil) use from now on.
---@param executor table
function Loop:set_default_executor(executor)
  check.arg(getmetatable(executor) == Executor, 1, "set_default_executor",
    "Executor expected, got " .. type(executor))
  local fields = self:_fields()
  fields.executor, fields.executor_ended = executor, nil
end

--- Shuts the default executor down and waits for what it still runs, at most `timeout` seconds;
--- what runs then is stopped, and reported. [suspends]
---@param timeout_s? number seconds
function Loop:shutdown_default_executor(timeout_s)
  check.seconds(timeout_s, 1, "shutdown_default_executor")
  local fields = self:_fields()
  fields.executor_ended = true
  if not fields.executor or fields.executor:shutdown { timeout = timeout_s } then return end
  self:call_exception_handler {
    message = ("the default executor did not end its work within %g s; it is being stopped"):format(
      timeout_s), kind = "unclosed", level = "warning",
  }
end

--- For the end of a loop: nobody waits for the workers.
function M.abandon(loop)
  local executor = loop:_fields().executor
  if not executor then return end
  core._crew_close(executor._crew, true)
  core._crew_stop(executor._crew)
end

--- Runs `fn(...)` in a thread of the loop's own executor and returns its results, or raises its
--- error. Cancelling the waiting task cancels the one in the thread. [suspends]
---@param fn function
---@param ... any copied
---@return any ... copies
function M.to_thread(fn, ...)
  check_function(fn, 1, "to_thread")
  core._check_wait()
  return submit(default_of(core.get_running_loop()), 1, fn, ...):await()
end

--- Runs `fn(...)` as a task of a loop, which may be another thread's.
---@param fn function
---@param loop any a loop, or what became of one on its way to this thread
---@param ... any copied
---@return table Future of the calling state; cancelling it cancels the task
function M.run_coroutine_threadsafe(fn, loop, ...)
  check_function(fn, 1, "run_coroutine_threadsafe")
  check.arg(core._is_loop(loop), 2, "run_coroutine_threadsafe", "loop expected, got " .. type(loop))
  return core._call_into(loop, 1, context.portable(), fn, ...)
end

return M
