-- SPDX-License-Identifier: MIT
--
-- wait and as_completed: both collect done futures through one callback and wake the waiting task
-- through one plain future, as asyncio does, so that the order of events is the same. Also the end
-- of a block that a task is tied to.

local core = require "aio.core"
local check = require "aio.check"
local job = require "aio.job"

local M = {
  FIRST_COMPLETED = "FIRST_COMPLETED",
  FIRST_EXCEPTION = "FIRST_EXCEPTION",
  ALL_COMPLETED = "ALL_COMPLETED",
}

local when_done = core._when_done
local WAIT_OPTIONS = { timeout = "number", return_when = "string" }

local function release(waiter)
  if not waiter:done() then waiter:set_result() end
end

local function check_list(list, name)
  if not job.is_list(list) then
    local one = core.isfuture(list)
    check.argerror(1, name, "list of jobs expected, got " .. (one and "a task or future; write "
      .. name .. "({ task }, ...)" or type(list)))
  end
end

local function ends_wait(fut, left, return_when)
  return left <= 0 or return_when == M.FIRST_COMPLETED
    or return_when == M.FIRST_EXCEPTION and not fut:cancelled() and core._failed(fut)
end

-- Futures -> true. A callback that memory failed is called again (core._when_done), so each has to
-- know which futures it has counted; to set a key that exists needs no memory.
local function set(futures)
  local s = {}
  for _, f in ipairs(futures) do s[f] = true end
  return s
end

local function remove(futures, callback)
  for _, f in ipairs(futures) do f:remove_done_callback(callback) end
end

-- Waits until enough of the futures are done or the time is over.
local function wait_futures(futures, timeout, return_when)
  local loop = core.get_running_loop()
  local waiter, left = loop:create_future(), #futures
  local timer = timeout and core._insist(loop:call_later(timeout, release, waiter))
  local pending = set(futures)
  local function on_done(fut)
    if pending[fut] then
      pending[fut], left = false, left - 1
    end
    if ends_wait(fut, left, return_when) then
      if timer then timer:cancel() end
      release(waiter)
    end
  end
  for _, f in ipairs(futures) do when_done(f, on_done) end
  core._extra(waiter, "of", futures) -- for whoever asks who waits for whom
  core._extra(waiter, "by", "aio.wait")
  local _ <close> = setmetatable({}, {
    __close = function()
      if timer then timer:cancel() end
      remove(futures, on_done)
    end,
  })
  waiter:await()
end

--- Waits for jobs without raising their errors and without cancelling any. [suspends]
---@param list table jobs, at least one
---@param opts? { timeout: number, return_when: string } seconds; aio.FIRST_COMPLETED and so on
---@return table done futures that are done, in the order given
---@return table pending the others
function M.wait(list, opts)
  check_list(list, "wait")
  opts = check.options(opts, WAIT_OPTIONS, 2, "wait")
  check.seconds(opts.timeout, 2, "wait")
  local when = opts.return_when or M.ALL_COMPLETED
  check.arg(M[when] == when, 2, "wait", "return_when: FIRST_COMPLETED, FIRST_EXCEPTION or "
    .. "ALL_COMPLETED expected")
  check.arg(#list > 0, 1, "wait", "at least one job expected")
  local _, futures = job.futures(list, #list, "wait", false)
  wait_futures(futures, opts.timeout, when)
  local done, pending = {}, {}
  for _, f in ipairs(futures) do
    local to = f:done() and done or pending
    to[#to + 1] = f
  end
  return done, pending
end

--- Iterates over jobs as they are done: `for task, i in aio.as_completed(list) do`; `i` is the
--- place in the list. A time limit raises TimeoutError from the `for`; nothing is cancelled. Each
--- step may suspend.
---@param list table jobs
---@param opts? { timeout: number } seconds for all of it
---@return function iterator
function M.as_completed(list, opts)
  check_list(list, "as_completed")
  opts = check.options(opts, { timeout = "number" }, 2, "as_completed")
  check.seconds(opts.timeout, 2, "as_completed")
  local loop = core.get_running_loop()
  local futures, unique = job.futures(list, #list, "as_completed", false)
  local place = {}
  for i = #futures, 1, -1 do place[futures[i]] = i end
  local ready, first, last, left, waiter, expired = {}, 1, 0, #unique, nil, false

  local function wake()
    if waiter then release(waiter) end
  end
  local pending = set(unique)
  local function on_done(fut)
    if pending[fut] then
      ready[last + 1] = fut
      pending[fut], last = false, last + 1
    end
    wake()
  end
  local timer = opts.timeout and core._insist(loop:call_later(opts.timeout, function()
    expired = true
    remove(unique, on_done)
    wake()
  end))
  for _, f in ipairs(unique) do when_done(f, on_done) end

  local function stop()
    if timer then timer:cancel() end
    remove(unique, on_done)
  end
  local function step()
    if left == 0 then
      stop()
      return nil
    end
    while first > last do
      if expired then error(core.TimeoutError("as_completed: the time is over"), 0) end
      waiter = loop:create_future()
      core._extra(waiter, "of", unique)
      core._extra(waiter, "by", "aio.as_completed")
      waiter:await()
      waiter = nil
    end
    local fut = ready[first]
    ready[first] = nil
    first, left = first + 1, left - 1
    return fut, place[fut]
  end
  return step, nil, nil, setmetatable({}, { __close = stop })
end

-- Waits until the task, which was asked to cancel, has ended, also when the caller is cancelled
-- meanwhile; returns the caller's CancelledError then.
local function outlast(task)
  local cancelled, failed
  while not task:done() do
    local ok, err = pcall(wait_futures, { task }, nil, M.ALL_COMPLETED)
    if not ok then
      if failed and core.is(err, core.Error) then return err end -- a deadlock again
      cancelled, failed = err, not core.is(err, core.CancelledError)
    end
  end
  return cancelled
end

--- The end of a block with `local t <close> = aio.create_task(fn)`: cancels the task and waits
--- until it has ended. Its own CancelledError ends here; another error is raised, unless the block
--- failed. [suspends]
function core._Task:__close(err)
  if not self:done() then
    if core._running() and core.current_task() == self then
      check.state "a task cannot wait for its own end; close it in another one"
    end
    self:cancel()
    local cancelled = outlast(self)
    if cancelled ~= nil then error(cancelled, 0) end
  end
  if err ~= nil or self:cancelled() then return end
  if core._failed(self) then self:result() end
end

return M
