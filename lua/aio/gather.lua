-- SPDX-License-Identifier: MIT
--
-- gather: wait for many jobs, results in order. The waiting is in C (bind/gather.c).

local core = require "aio.core"
local check = require "aio.check"
local job = require "aio.job"

local M = {}

local unpack = table.unpack
local OPTIONS = { return_exceptions = "boolean" }

-- Raises the CancelledError of a cancelled gather, with the message that a child got.
local function raise_cancelled(unique)
  for _, f in ipairs(unique) do
    if f:cancelled() then f:result() end
  end
  error(core.CancelledError(), 0)
end

-- Waits; raises the first error unless `all`. Returns nothing: the futures are done.
local function settle(unique, all)
  local first, cancelled = core._gather(unique, all)
  if first > 0 and not all then unique[first]:result() end
  if cancelled then raise_cancelled(unique) end
end

local function errors_of(futures, n)
  local errors = { n = n }
  for i = 1, n do
    local f = futures[i]
    if f:cancelled() then
      local _, err = pcall(f.result, f)
      errors[i] = err
    else
      errors[i] = f:exception()
    end
  end
  return errors
end

-- The jobs of a call: list, count, options; `spread` when they were given one by one.
local function parse(name, ...)
  local first, opts = ...
  if select("#", ...) <= 2 and job.is_list(first) then
    opts = check.options(opts, OPTIONS, 2, name)
    local n = first.n
    if math.type(n) ~= "integer" or n < 0 then n = #first end
    return first, n, opts, false
  end
  local jobs, n = { ... }, select("#", ...)
  local last = jobs[n]
  if n > 1 and job.is_list(last) and #last == 0 then -- as Python's keyword argument
    check.argerror(n, name, ("options go with a list of jobs: write %s({ f }, "
      .. "{ return_exceptions = true })"):format(name))
  end
  return jobs, n, {}, true
end

-- What gather returns when all futures are done.
local function outcome(futures, n, opts, spread)
  local values = core._values(futures, n)
  if spread then return unpack(values, 1, n) end
  if opts.return_exceptions then return values, errors_of(futures, n) end
  return values
end

--- Waits for all jobs. `gather(a, b, c)` returns the first value of each, in order; `gather(list,
--- opts)` returns one list with `n`, and with `return_exceptions=true` two, values and errors. The
--- first error is raised at once and the other jobs go on; cancelled, it cancels all of them and
--- waits until they have ended. [suspends]
---@param ... any jobs, or one list and { return_exceptions = boolean }
---@return any ...
function M.gather(...)
  local list, n, opts, spread = parse("gather", ...)
  local futures, unique = job.futures(list, n, "gather", spread)
  if n > 0 then settle(unique, opts.return_exceptions) end
  return outcome(futures, n, opts, spread)
end

-- Ends `outer` with what fn returns or raises.
local function conclude(outer, fn, ...)
  local results = table.pack(pcall(fn, ...))
  if results[1] then
    outer:set_result(unpack(results, 2, results.n))
  else
    outer:set_exception(results[2])
  end
end

-- A callback for each of the jobs: ends `outer` with the first error, or when all have ended.
local function watcher(outer, jobs, all, finish)
  local left, first, pending = #jobs, nil, {}
  for _, f in ipairs(jobs) do pending[f] = true end
  return function(f) -- called again for a job when memory was out
    if pending[f] then
      pending[f], left = false, left - 1
    end
    core._retrieved(f)
    if outer:done() then return end
    if not all and not first and (f:cancelled() or core._failed(f)) then first = f end
    if left > 0 and (not first or jobs.cancelled) then return end
    if first then
      conclude(outer, first.result, first)
    elseif jobs.cancelled then
      conclude(outer, raise_cancelled, jobs)
    else
      finish()
    end
  end
end

--- As gather, but does not wait: a future that ends with what gather returns. Cancelling it cancels
--- the jobs; it is done when they have ended.
---@param ... any jobs, or a list of them and options
---@return table future
function M.gather_future(...)
  local list, n, opts, spread = parse("gather_future", ...)
  local futures, jobs = job.futures(list, n, "gather_future", spread)
  local outer = core.get_running_loop():create_future()
  local function finish() conclude(outer, outcome, futures, n, opts, spread) end
  if n == 0 then
    finish()
    return outer
  end
  jobs.cancelled = false -- set by a cancel of `outer` that reached a job
  core._delegate(outer, jobs)
  local on_done = watcher(outer, jobs, opts.return_exceptions, finish)
  local ended = {}
  for _, f in ipairs(jobs) do
    if f:done() then ended[#ended + 1] = f else core._when_done(f, on_done) end
  end
  for _, f in ipairs(ended) do on_done(f) end
  return outer
end

return M
