-- SPDX-License-Identifier: MIT
--
-- The exception handler: where errors go that nobody awaits.

local core = require "aio.core"
local check = require "aio.check"

local M = {}
local Loop = core._Loop

local function name_of(x)
  if x == nil then return nil end
  local ok, name = pcall(function() return x:get_name() end)
  return ok and name or tostring(x)
end

-- One message: what happened, to whom, the error with its traceback.
local function describe(ctx)
  local lines = { "aio: " .. (ctx.message or "unhandled error") }
  local function add(label, value)
    if value ~= nil then lines[#lines + 1] = ("  %s: %s"):format(label, value) end
  end
  add("task", name_of(ctx.task))
  if ctx.address then add("peer", tostring(ctx.address)) end
  local err = ctx.exception
  if err ~= nil then
    add("error", tostring(err))
    local tb = ctx.traceback or core.is(err, core.BaseError) and err.traceback
    if tb then lines[#lines + 1] = "  " .. tb:gsub("\n", "\n  ") end
  elseif ctx.traceback then
    lines[#lines + 1] = "  " .. ctx.traceback:gsub("\n", "\n  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Writes one clear message for the context to stderr, or the host's log.
---@param ctx table see call_exception_handler
function Loop:default_exception_handler(ctx) -- luacheck: no self
  check.arg(type(ctx) == "table", 1, "default_exception_handler", "table expected")
  local text = describe(ctx)
  if not core._log(ctx.level == "warning" and "warning" or "error", text) then
    io.stderr:write(text)
  end
end

local function is_fatal(e) return core.is(e, core.SystemExit, core.KeyboardInterrupt) end

-- The handler failed: both errors go to stderr, the loop goes on.
local function handler_failed(loop, ctx, err)
  if is_fatal(err) then error(err, 0) end
  pcall(loop.default_exception_handler, loop, {
    message = "the exception handler itself failed", kind = "handler_error", exception = err,
  })
  pcall(loop.default_exception_handler, loop, ctx)
end

-- What is said of a task is handled in the context of that task.
local function call_handler(loop, handler, ctx)
  if getmetatable(ctx.task) ~= core._Task then return handler(loop, ctx) end
  return ctx.task:get_context():run(handler, loop, ctx)
end

--- Hands an error to the exception handler. Fields of `ctx`: message, exception, kind, level, and
--- where they exist task, future, handle, conn, protocol, transport, traceback, address.
---@param ctx table
function Loop:call_exception_handler(ctx)
  check.arg(type(ctx) == "table", 1, "call_exception_handler",
    "table expected, got " .. type(ctx))
  ctx.kind = ctx.kind or "callback_error"
  ctx.level = ctx.level or "error"
  local handler = self:_fields().exception_handler
  local ok, err
  if handler then
    ok, err = pcall(call_handler, self, handler, ctx)
  else
    ok, err = pcall(self.default_exception_handler, self, ctx)
  end
  if not ok then handler_failed(self, ctx, err) end
end

--- Errors of this loop go to `handler(loop, ctx)`; nil: to the default one.
---@param handler function|nil
function Loop:set_exception_handler(handler)
  check.arg(handler == nil or check.callable(handler), 1, "set_exception_handler",
    "function or nil expected, got " .. type(handler))
  self:_fields().exception_handler = handler
end

--- The handler that was set, or nil.
function Loop:get_exception_handler() return self:_fields().exception_handler end

core._set_hook("report", function(loop, ctx) loop:call_exception_handler(ctx) end)

--- Reports a failed future at whose error nobody has looked.
function M.never_retrieved(loop, future)
  local err, task
  if getmetatable(future) == core._Task then task = future end
  err = future:exception()
  loop:call_exception_handler {
    message = (task and "a task" or "a future") .. " failed and nobody looked at its error; await "
      .. "it, or call exception()",
    kind = "never_retrieved", exception = err, task = task, future = future,
    traceback = core._extra(future, "traceback"),
  }
end

-- Called by the finalizer: the report is made by the loop, on its next turn.
core._set_hook("never_retrieved", function(future)
  local loop = future:get_loop()
  if loop and not loop:is_closed() then loop:call_soon(M.never_retrieved, loop, future) end
end)

return M
