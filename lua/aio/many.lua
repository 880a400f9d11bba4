-- SPDX-License-Identifier: MIT
--
-- race and map: many tasks of which the caller owns all, so that none outlives the call.

local core = require "aio.core"
local check = require "aio.check"
local job = require "aio.job"
local wait = require "aio.wait"

local M = {}

--- Cancels what is not done and waits for all of it, also when cancelled meanwhile. Returns the
--- CancelledError that arrived while waiting, or nil.
function M.reap(futures)
  local left, cancelled = {}, nil
  for _, f in ipairs(futures) do
    core._retrieved(f)
    if not f:done() then
      f:cancel()
      left[#left + 1] = f
    end
  end
  local failed = false
  while #left > 0 do
    local ok, err = pcall(core._gather, left, true)
    if not ok then
      -- a deadlock again: jobs that ignore a cancel are left to the end of the loop
      if failed and core.is(err, core.Error) then return err end
      cancelled, failed = err, not core.is(err, core.CancelledError)
    end
    local rest = {}
    for _, f in ipairs(left) do
      if not f:done() then rest[#rest + 1] = f end
    end
    left = rest
  end
  return cancelled
end

--- Waits for the first job to end: returns its results or raises its error. The others are
--- cancelled and waited for. [suspends]
---@param ... any jobs, or one list of them
---@return any ...
function M.race(...)
  local list, spread = ..., false
  if select("#", ...) ~= 1 or not job.is_list(list) then list, spread = { ... }, true end
  local n = spread and select("#", ...) or #list
  check.arg(n > 0, 1, "race", "at least one job expected")
  local _, futures = job.futures(list, n, "race", spread)
  local winner
  local function first(f) winner = winner or f end
  for _, f in ipairs(futures) do core._when_done(f, first) end
  local ok, err = pcall(wait.wait, futures, { return_when = wait.FIRST_COMPLETED })
  if ok and not winner then winner = err[1] end -- its callback is late for want of memory
  for _, f in ipairs(futures) do f:remove_done_callback(first) end
  local cancelled = M.reap(futures)
  if not ok then error(err, 0) end
  if cancelled then error(cancelled, 0) end
  return winner:result()
end

local MAP_OPTIONS = { limit = "number", return_exceptions = "boolean" }

-- The next item of a list or an iterator, or nil.
local function items(list)
  if type(list) == "table" and not (getmetatable(list) or {}).__call then
    local i = 0
    return function()
      i = i + 1
      return list[i]
    end
  end
  return list
end

--- Calls `fn(item, i)` as a task for each item of a list or iterator, at most `limit` at once.
--- Returns the results in order with `n`; with `return_exceptions` a second list of errors. The
--- first error cancels the rest, which is waited for. [suspends]
---@param fn function
---@param list table|function
---@param opts? { limit: integer, return_exceptions: boolean }
---@return table results
---@return table|nil errors
function M.map(fn, list, opts)
  check.arg(check.callable(fn), 1, "map", "function expected, got " .. type(fn))
  check.arg(type(list) == "table" or check.callable(list), 2, "map",
    "list or iterator expected, got " .. type(list))
  opts = check.options(opts, MAP_OPTIONS, 3, "map")
  local limit = opts.limit or math.huge
  check.arg(limit >= 1, 3, "map", "limit: at least 1 expected")
  local loop = core.get_running_loop()
  local next_item, n, running = items(list), 0, {}
  local results, errors, active, failure, waiter = {}, { n = 0 }, 0, nil, nil

  local function note_outcome(i, task)
    if task:cancelled() or core._failed(task) then
      local _, err = pcall(task.result, task)
      errors[i] = err
      failure = failure or task
    else
      results[i] = (task:result())
    end
  end
  local function store(i, task) -- called again when memory was out
    if running[i] then
      note_outcome(i, task)
      running[i] = nil
      active = active - 1
    end
    if waiter and not waiter:done() then waiter:set_result() end
  end
  local function wait_one()
    waiter = loop:create_future()
    waiter:await()
    waiter = nil
  end
  local function go_on() return opts.return_exceptions or not failure end
  local function all()
    while go_on() do
      while active >= limit and go_on() do wait_one() end
      local item = nil
      if go_on() then item = next_item() end
      if item == nil then break end
      n = n + 1
      local i = n
      running[i] = core.create_task(fn, item, i)
      active = active + 1
      core._when_done(running[i], function(task) store(i, task) end)
    end
    while active > 0 and go_on() do wait_one() end
  end

  local ok, err = pcall(all)
  local rest = {}
  for _, task in pairs(running) do rest[#rest + 1] = task end
  local cancelled = M.reap(rest)
  if not ok then error(err, 0) end
  if cancelled then error(cancelled, 0) end
  if failure and not opts.return_exceptions then failure:result() end
  results.n, errors.n = n, n
  if opts.return_exceptions then return results, errors end
  return results
end

return M
