-- SPDX-License-Identifier: MIT
--
-- Time limits: a scope that cancels its task at a deadline and turns that CancelledError, and no
-- other, into TimeoutError. wait_for is one around a single job.

local core = require "aio.core"
local check = require "aio.check"
local job = require "aio.job"
local scope = require "aio.scope"
local wait = require "aio.wait"

local M = {}

local Timeout = { _kind = "the timeout" }
Timeout.__index = Timeout
Timeout.__name = "Timeout"

local function message(self)
  local text = self._seconds and ("timeout of %g s"):format(self._seconds) or "timeout"
  if self._loop:get_debug() then text = text .. " made at " .. self._where end
  return text
end

local function cancel(self) self._task:cancel(message(self)) end

-- When memory is out it is called again, see core._insist.
local function expire(self)
  if self._state == "closed" or self._state == "expired" then return end
  self._state = "expiring"
  -- the message needs memory, the cancelling does not: a limit holds also when there is none
  if not pcall(cancel, self) then self._task:cancel() end
end

-- Arms the timer for self._when.
local function arm(self)
  if self._timer then self._timer:cancel() end
  self._timer = nil
  if not self._when then return end
  local loop = self._loop
  if self._when <= loop:time() then
    self._timer = core._insist(loop:call_soon(expire, self))
  else
    self._timer = core._insist(loop:call_at(self._when, expire, self))
  end
end

local function new(name, when, seconds)
  local task = scope.task(name)
  local self = setmetatable({
    _task = task, _loop = task:get_loop(), _when = when, _seconds = seconds, _state = "open",
    _cancelling = task:cancelling(),
  }, Timeout)
  scope.open(task, self)
  arm(self)
  return self
end

--- The deadline by loop:time(), or nil.
---@return number|nil
function Timeout:when()
  check.self(self, Timeout, "when")
  return self._when
end

--- Moves the deadline to `when` (by loop:time()); nil removes it. RuntimeError once it has expired
--- or the scope is closed.
---@param when number|nil
function Timeout:reschedule(when)
  check.self(self, Timeout, "reschedule")
  check.seconds(when, 1, "reschedule")
  if self._state ~= "open" then
    check.state("cannot reschedule a timeout that has "
      .. (self._state == "closed" and "been closed" or "expired"))
  end
  self._when, self._seconds = when, when and when - self._loop:time()
  arm(self)
end

--- Has the deadline passed inside the scope?
---@return boolean
function Timeout:expired()
  check.self(self, Timeout, "expired")
  return self._state == "expiring" or self._state == "expired"
end

function Timeout:__close(err)
  if self._state == "closed" or self._state == "expired" then return end
  if self._timer then self._timer:cancel() end
  self._timer = nil
  local task = self._task
  scope.closed(task, self)
  if self._state == "open" then
    self._state = "closed"
    return
  end
  self._state = "expired"
  local undelivered = core._cancel_pending(task)
  local ours = task:uncancel() <= self._cancelling
  if ours and core.is(err, core.CancelledError) then
    local e = core.TimeoutError(message(self))
    e.context = err
    error(e, 0)
  end
  if err == nil and not undelivered then scope.swallowed(task, "a timeout has expired") end
end

--- Calls `fn(...)` under this time limit; for a scope that is looked at afterwards. RuntimeError
--- when the scope is closed. [suspends]
---@param fn function
---@param ... any its arguments
---@return any ... fn's results
function Timeout:run(fn, ...)
  check.self(self, Timeout, "run")
  if self._state == "closed" or self._state == "expired" then
    check.state("this timeout has been used; make a new one")
  end
  check.arg(check.callable(fn), 1, "run", "function expected, got " .. type(fn))
  local _ <close> = self
  return fn(...)
end

local function call(self, fn, ...)
  local _ <close> = self
  return fn(...)
end

local function check_call(fn, name, n)
  if n == 0 then return false end
  check.arg(check.callable(fn), 2, name, "function expected, got " .. type(fn))
  return true
end

--- A scope with `s` seconds (nil: no limit): `local _ <close> = aio.timeout(2)`. With a function:
--- calls it under the limit and returns its results [suspends]. Raises TimeoutError.
---@param s number|nil seconds
---@param fn? function
---@param ... any its arguments
---@return any ... the scope, or fn's results
function M.timeout(s, fn, ...)
  check.seconds(s, 1, "timeout")
  local has_fn = check_call(fn, "timeout", fn == nil and 0 or 1)
  local task = scope.task("aio.timeout")
  local self = new("aio.timeout", s and task:get_loop():time() + s, s)
  if not has_fn then return self end
  return call(self, fn, ...)
end

--- The same with a deadline by loop:time().
---@param when number|nil seconds
---@param fn? function
---@param ... any its arguments
---@return any ... the scope, or fn's results
function M.timeout_at(when, fn, ...)
  check.seconds(when, 1, "timeout_at")
  local has_fn = check_call(fn, "timeout_at", fn == nil and 0 or 1)
  local task = scope.task("aio.timeout_at")
  local self = new("aio.timeout_at", when, when and when - task:get_loop():time())
  if not has_fn then return self end
  return call(self, fn, ...)
end

-- The time was over before the start: a job that is done gives its result, another is cancelled
-- and waited for.
local function no_time(x, s)
  local fut = job.ensure_on(nil, x, "wait_for")
  if fut:done() then return fut:result() end
  fut:cancel()
  wait.wait { fut }
  if not fut:cancelled() then return fut:result() end
  error(core.TimeoutError(("timeout of %g s"):format(s)), 0)
end

--- Waits for a job at most `s` seconds (nil: no limit), then cancels it and raises TimeoutError. A
--- function runs in the calling task. [suspends]
---@param x any a job
---@param s number|nil seconds
---@param ... nil nothing: a function gets its arguments in another way, as the error says
---@return any ... the job's results
function M.wait_for(x, s, ...)
  check.arg(select("#", ...) == 0, 3, "wait_for", "wait_for takes a job and seconds; write "
    .. "wait_for(function() return f(x) end, s) or create_task(f, x)")
  check.seconds(s, 2, "wait_for")
  if check.callable(x) and not core.isfuture(x) then return M.timeout(s, x) end
  if s and s <= 0 then return no_time(x, s) end
  local fut = job.ensure_on(nil, x, "wait_for")
  local task = scope.task("aio.wait_for")
  return call(new("aio.wait_for", s and task:get_loop():time() + s, s), fut.await, fut)
end

return M
