-- SPDX-License-Identifier: MIT
--
-- Context variables. A Context is { variables, shared }. What C keeps for a task or a callback (see
-- bind/context.c) is a Context, or the variables alone, or nil for none: a new task gets the
-- variables of its creator, which are shared from then on, so that whoever sets one first makes a
-- table of its own. Variables that are kept alone are never changed.

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local get_current, copy_current, set_current = core._context, core._context_copy, core._set_context
local held_by, give = core._context_of, core._give_context

local VARS <const>, SHARED <const> = 1, 2 -- fields of a Context; bind/context.c has the same

local NIL = {} -- stands for a variable whose value is nil

local Context = {}
Context.__index = Context
Context.__name = "Context"

local ContextVar = {}
ContextVar.__index = ContextVar
ContextVar.__name = "ContextVar"

local Token = {}
Token.__index = Token
Token.__name = "Token"

local function is(v, class) return type(v) == "table" and getmetatable(v) == class end

-- The Context for what is kept: itself, or one that shares the variables.
local function as_context(held)
  if is(held, Context) then return held end
  return setmetatable({ [VARS] = held or {}, [SHARED] = held and true }, Context)
end

-- The Context of the running task or callback; makes one where there is none yet.
local function current()
  local held = get_current()
  local ctx = as_context(held)
  if ctx ~= held then set_current(ctx) end
  return ctx
end

-- The variables of a context, to be changed: unshares them.
local function own_vars(ctx)
  if not ctx[SHARED] then return ctx[VARS] end
  local vars = {}
  for var, value in pairs(ctx[VARS]) do vars[var] = value end
  ctx[VARS], ctx[SHARED] = vars, false
  return vars
end

-- ---- ContextVar ----

local function check_self(var, name)
  check.arg(is(var, ContextVar), 1, name, "ContextVar expected, got " .. type(var))
end

--- A variable whose value belongs to the context: each task has its own copy.
---@param name string for messages
---@param opts? { default: any } what get() returns where nothing was set
---@return table ContextVar
function M.ContextVar(name, opts)
  check.arg(type(name) == "string", 1, "ContextVar", "string expected, got " .. type(name))
  opts = check.options(opts, { default = true }, 2, "ContextVar")
  return setmetatable({ name = name, _default = opts.default }, ContextVar)
end

--- The value in the current context; else `default` when it is given; else the variable's own
--- default. Raises LookupError when there is none.
---@param ... any default
---@return any
function ContextVar:get(...)
  check_self(self, "get")
  local held = get_current()
  local value
  if held then value = (held[VARS] or held)[self] end
  if value ~= nil then
    if value == NIL then return nil end
    return value
  end
  if select("#", ...) > 0 then return (...) end
  if self._default ~= nil then return self._default end
  check.state(("the ContextVar '%s' has no value here; set one, or write get(default)")
    :format(self.name), core.LookupError)
end

--- Sets the value in the current context.
---@param value any
---@return table token for reset; closing it (`local _ <close> = var:set(v)`) resets as well
function ContextVar:set(value)
  check_self(self, "set")
  local ctx = current()
  local vars = own_vars(ctx)
  local token = setmetatable({ var = self, _context = ctx, _old = vars[self] }, Token)
  if value == nil then value = NIL end
  vars[self] = value
  return token
end

-- Takes the old value back.
local function restore(token)
  token._used = true
  own_vars(token._context)[token.var] = token._old
end

--- Gives the variable the value that it had before the `set` that returned `token`. Raises
--- RuntimeError when the token was used already or belongs to another context.
---@param token table
function ContextVar:reset(token)
  check_self(self, "reset")
  check.arg(is(token, Token), 1, "reset", "token of ContextVar:set expected, got " .. type(token))
  check.arg(token.var == self, 1, "reset", "this token is of another ContextVar")
  if token._used then check.state "this token was used already; each set gives a new one" end
  if token._context ~= get_current() then
    check.state "this token was made in another context; reset it in the task that called set"
  end
  restore(token)
end

function ContextVar:__tostring() return ("ContextVar: %s"):format(self.name) end

-- A token that was reset by hand is closed already.
function Token:__close()
  if not self._used then restore(self) end
end

-- ---- Context ----

--- A copy of the current context; takes the same time whatever is in it.
---@return table Context
function M.copy_context() return as_context(copy_current()) end

-- Gives the running task or callback its former context back, also when the task was closed from
-- outside and is no longer the running one.
local Entered = {
  __close = function(entered)
    if entered.task then give(entered.task, entered.former) else set_current(entered.former) end
  end,
}

--- Calls `fn(...)` with this context as the current one and returns its results; what `fn` sets
--- stays in this context. `fn` may wait. [may suspend]
---@param fn function
---@param ... any its arguments
---@return any ... its results
function Context:run(fn, ...)
  check.arg(is(self, Context), 1, "run", "Context expected, got " .. type(self))
  check.arg(check.callable(fn), 1, "run", "function expected, got " .. type(fn))
  local _ <close> = setmetatable({
    task = core._running() and core.current_task(), former = get_current(),
  }, Entered)
  set_current(self)
  return fn(...)
end

--- The value of a variable in this context, nil when it was not set in it.
---@param var table ContextVar
---@return any
function Context:get(var)
  check.arg(is(var, ContextVar), 1, "get", "ContextVar expected, got " .. type(var))
  local value = self[VARS][var]
  if value == NIL then return nil end
  return value
end

local function next_var(vars, var)
  local key, value = next(vars, var)
  if value == NIL then value = nil end
  return key, value
end

--- for var, value in pairs(context) do
function Context:__pairs() return next_var, self[VARS], nil end

-- ---- who holds which context ----

-- The Context of a task or handle; makes one where there is none yet.
local function context_of(owner)
  local held = held_by(owner)
  local ctx = as_context(held)
  if ctx ~= held then give(owner, ctx) end
  return ctx
end

core._set_hook("context_of", context_of)

--- The context that the task runs in.
---@param task table
---@return table Context
core._Task.get_context = function(task) return context_of(task) end

-- ---- other threads ----

core._copy_variables(ContextVar)

--- What another thread gets of the current context: a list of pairs, or nil. A variable whose value
--- cannot cross is left out.
---@return table|nil
function M.portable()
  local held = get_current()
  if not held then return nil end
  local list = {}
  for var, value in pairs(held[VARS] or held) do
    local entry = { var }
    if value ~= NIL then entry[2] = value end
    if pcall(core._copy_size, entry) then list[#list + 1] = entry end
  end
  return list[1] and list or nil
end

core._set_hook("enter_context", function(list)
  for _, entry in ipairs(list) do entry[1]:set(entry[2]) end
end)

return M
