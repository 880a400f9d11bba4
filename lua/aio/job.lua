-- SPDX-License-Identifier: MIT
--
-- Jobs: what gather, wait, race and their kin take. An awaitable stays what it is, a function
-- becomes a task. Also await, async, ensure_future and shield, which are about one job.

local core = require "aio.core"
local check = require "aio.check"

local job = {}

local isfuture, iscoroutine, future_await = core.isfuture, core.iscoroutine, core._Future.await

-- functions made by aio.async -> what they wrap
local unwrapped = setmetatable({}, { __mode = "k" })

local function await_method(x)
  local mt = getmetatable(x)
  return type(mt) == "table" and rawget(mt, "__await") or nil
end

--- Waits for a Task, a Future, or an object whose metatable has `__await`, and returns its results.
--- Raises what it failed with. [suspends]
---@param x any
---@return any ...
function job.await(x)
  if isfuture(x) then return future_await(x) end
  local method = await_method(x)
  if method then return method(x) end
  local got = type(x)
  check.argerror(1, "await", got == "function"
    and "awaitable expected, got function; call it, or write await(create_task(f, ...))"
    or "awaitable expected, got " .. got)
end

--- A function that, called, returns a started task running `fn` with its arguments.
---@param fn function
---@return fun(...): table
function job.async(fn)
  check.arg(check.callable(fn), 1, "async", "function expected, got " .. type(fn))
  local function start(...) return core.create_task(fn, ...) end
  unwrapped[start] = fn
  return start
end

--- Is `v` a list of jobs: a table without a metatable?
function job.is_list(v) return type(v) == "table" and getmetatable(v) == nil end

-- Raises when `x` is no job.
local function check_job(x, n, name)
  if type(x) == "function" or isfuture(x) or iscoroutine(x) then return end
  if await_method(x) or check.callable(x) then return end
  local got = type(x)
  if got == "thread" then
    check.argerror(n, name, "a thread that has not started expected, got one that has")
  end
  check.argerror(n, name, "awaitable or function expected, got " .. got
    .. (job.is_list(x) and "" or "; did you call it? write create_task(f, 1)"))
end

-- The future of a job that has been checked.
local function to_future(x, loop)
  if type(x) ~= "function" and isfuture(x) then return x end
  local create = loop and loop.create_task
  if await_method(x) then
    if create then return create(loop, job.await, x) end
    return core.create_task(job.await, x)
  end
  x = unwrapped[x] or x
  if create then return create(loop, x) end
  return core.create_task(x)
end

--- The future of a job: an awaitable as it is, a function as a new task.
---@param x any
---@return table future
function job.ensure_future(x)
  check_job(x, 1, "ensure_future")
  return to_future(x)
end

--- The same on a given loop (which need not run; nil: the running one). `name`: for errors.
function job.ensure_on(loop, x, name)
  check_job(x, 1, name)
  return to_future(x, loop)
end

--- Futures of a list of jobs. All are checked before the first task is made.
---@param list table
---@param n integer how many
---@param name string the public function, for errors
---@param spread boolean errors name the argument (true) or the place in the list
---@return table futures one for each job, in order
---@return table unique each future once, in order of first appearance
function job.futures(list, n, name, spread)
  local plain = core._futures(list, n)
  if plain then return plain, plain end
  for i = 1, n do
    if list[i] == nil and not spread then
      check.argerror(1, name, ("job %d of the list is nil"):format(i))
    end
    check_job(list[i], spread and i or 1, name)
  end
  local futures, unique = {}, {}
  local known, listed = {}, {} -- awaitable or thread -> its future; futures in `unique`
  for i = 1, n do
    local x = list[i]
    local f = known[x]
    if not f then
      f = to_future(x)
      if type(x) ~= "function" and not check.callable(x) then known[x] = f end
    end
    if not listed[f] then
      listed[f] = true
      unique[#unique + 1] = f
    end
    futures[i] = f
  end
  return futures, unique
end

--- The future as it is: that of a call in another thread belongs to the caller's loop already.
---@param fut table a Task or Future
---@return table the same
function job.wrap_future(fut)
  check.arg(isfuture(fut), 1, "wrap_future", "future expected, got " .. type(fut))
  return fut
end

-- An error in a shielded job after nobody is left to hear of it goes to the exception handler.
local function log_shielded(inner)
  if inner:cancelled() then return end
  local err = inner:exception()
  if err == nil then return end
  inner:get_loop():call_exception_handler {
    message = "a shielded job failed after its waiter was cancelled",
    kind = "never_retrieved", exception = err, future = inner,
    traceback = core._extra(inner, "traceback"),
  }
end

--- A future that ends as the job does, but whose cancellation does not reach the job. Does not
--- wait: `aio.shield(t):await()`.
---@param x any a job
---@return table future
function job.shield(x)
  check_job(x, 1, "shield")
  local inner = to_future(x)
  if inner:done() then return inner end
  local outer = inner:get_loop():create_future()
  core._extra(outer, "of", { inner }) -- for whoever asks who waits for whom
  core._extra(outer, "by", "aio.shield")
  local function inner_done()
    if outer:done() then return end
    if inner:cancelled() then
      outer:cancel()
      return
    end
    local err = inner:exception()
    if err ~= nil then outer:set_exception(err) else outer:set_result(inner:result()) end
  end
  core._when_done(inner, inner_done)
  core._when_done(outer, function()
    if inner:done() then return end
    inner:remove_done_callback(inner_done)
    inner:remove_done_callback(log_shielded)
    inner:add_done_callback(log_shielded)
  end)
  return outer
end

return job
