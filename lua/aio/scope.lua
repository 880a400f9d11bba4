-- SPDX-License-Identifier: MIT
--
-- What the scopes of a task share: a task knows its open ones, and its end closes those that were
-- made without <close>. Also `defer` and ExitStack, which are scopes of the block alone.

local core = require "aio.core"
local check = require "aio.check"

local scope = {}

local extra, set_scopes = core._extra, core._scopes

--- The calling task; raises outside of one.
function scope.task(name)
  local task = core._running() and core.current_task()
  if not task then
    check.state(name .. " belongs to a task; make it inside one (aio.run, aio.create_task)")
  end
  return task
end

--- Notes that `s` is open in `task`.
function scope.open(task, s)
  s._where = core._where()
  s._below = extra(task, "scopes")
  extra(task, "scopes", s)
  set_scopes(task, true)
end

--- Notes that `s` is closed.
function scope.closed(task, s)
  if task:done() then return end
  local top = extra(task, "scopes")
  if top == s then
    top = s._below
    extra(task, "scopes", top)
    if top == nil then set_scopes(task, false) end
    return
  end
  while top do
    if top._below == s then
      top._below = s._below
      return
    end
    top = top._below
  end
end

--- Reports a swallowed cancellation to the exception handler.
function scope.swallowed(task, what)
  task:get_loop():call_exception_handler {
    message = what .. ": a CancelledError was caught and not raised again; catch errors with "
      .. "aio.pcall, which lets it pass",
    kind = "swallowed_cancel", level = "warning", task = task,
  }
end

-- Closes what the body of a task left open, last first. An error in it goes to the handler.
local function close_leftovers(task, err)
  local s = extra(task, "scopes")
  while s do
    task:get_loop():call_exception_handler {
      message = ("%s made at %s was not closed; write `local _ <close> = ...`")
        :format(s._kind, s._where),
      kind = "unclosed", level = "warning", task = task,
    }
    local ok, e = pcall(getmetatable(s).__close, s, err)
    if not ok and e ~= err then
      task:get_loop():call_exception_handler {
        message = "an error while closing " .. s._kind, kind = "unclosed", task = task,
        exception = e,
      }
    end
    local below = s._below
    scope.closed(task, s)
    s = below
  end
end

--- Called by C when the body of a task with open scopes (or, in debug mode, with requests to
--- cancel) has ended: (task, ok, results or error...) -> ok, results or error... [may suspend]
function scope.task_ended(task, ok, ...)
  close_leftovers(task, not ok and (...) or nil)
  local cancelled = not ok and core.is((...), core.CancelledError)
  if not cancelled and task:cancelling() > 0 and not core._cancel_pending(task)
      and task:get_loop():get_debug() then
    scope.swallowed(task, "task " .. task:get_name())
  end
  return ok, ...
end

core._set_hook("task_ended", scope.task_ended)

-- ---- defer ----

local Deferred = {}
Deferred.__name = "aio.defer"

local unpack = table.unpack

local function check_deferred(fn)
  check.arg(check.callable(fn), 1, "defer", "function expected, got " .. type(fn)
    .. "; did you call it? write defer(f, 1)")
end

--- Runs `fn(...)` at the end of the block, also after an error: `local _ <close> = aio.defer(f)`.
--- `fn` may wait.
---@param fn function
---@param ... any its arguments
---@return table closable
function scope.defer(fn, ...)
  check_deferred(fn)
  return setmetatable({ fn = fn, n = select("#", ...), ... }, Deferred)
end

-- An error that replaces the one that was unwinding remembers it.
local function remember(e, err)
  if e ~= err and core.is(e, core.BaseError) and e.context == nil then e.context = err end
end

function Deferred:__close(err)
  local fn = self.fn
  self.fn = nil
  if not fn then return end
  if err == nil then
    fn(unpack(self, 1, self.n))
    return
  end
  local ok, e = pcall(fn, unpack(self, 1, self.n))
  if ok then return end
  remember(e, err)
  error(e, 0)
end

-- ---- ExitStack ----

local ExitStack = {}
ExitStack.__index = ExitStack
ExitStack.__name = "ExitStack"

--- A number of scopes that is known only at run time, closed in reverse order.
---@return table ExitStack
function scope.ExitStack() return setmetatable({ n = 0 }, ExitStack) end

local function push(stack, x)
  stack.n = stack.n + 1
  stack[stack.n] = x
end

--- Adds a value with `__close` and returns it; nil and false are none, and pass.
---@param x any
---@return any x
function ExitStack:enter(x)
  local mt = getmetatable(x)
  if x ~= nil and x ~= false and not (type(mt) == "table" and mt.__close) then
    check.argerror(1, "enter", "a value with __close expected, got " .. type(x))
  end
  if x then push(self, x) end
  return x
end

--- Adds a call for the end; `fn` may wait.
---@param fn function
---@param ... any its arguments
function ExitStack:defer(fn, ...)
  check_deferred(fn)
  push(self, setmetatable({ fn = fn, n = select("#", ...), ... }, Deferred))
end

--- Moves everything to a new stack and returns that.
---@return table ExitStack
function ExitStack:pop_all()
  local other = scope.ExitStack()
  for i = 1, self.n do other[i], self[i] = self[i], nil end
  other.n, self.n = self.n, 0
  return other
end

-- Closes the entries from the top, each in a block of its own so that Lua's own rules for errors
-- hold: a later error replaces an earlier one and is what the next entry sees.
local function unwind(stack, err)
  while stack.n > 0 do
    local x = stack[stack.n]
    stack[stack.n] = nil
    stack.n = stack.n - 1
    local ok, e = pcall(getmetatable(x).__close, x, err)
    if not ok then
      remember(e, err)
      err = e
    end
  end
  return err
end

function ExitStack:__close(err)
  local last = unwind(self, err)
  if last ~= err then error(last, 0) end
end

return scope
