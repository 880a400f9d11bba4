-- SPDX-License-Identifier: MIT
--
-- Signals: handlers of a loop, and the iterator over signals. Watching is in C (bind/signal.c).

local core = require "aio.core"
local check = require "aio.check"

local M = {}
local Loop = core._Loop

-- The number and the name of a signal that a program can react to: argument `n` of `name`.
local function check_signal(sig, n, name)
  local number, label, catchable = core._signo(sig)
  if not number then
    check.argerror(n, name, (type(sig) == "string" or math.type(sig) == "integer")
      and ("this system has no signal '%s'; names are such as \"SIGTERM\""):format(sig)
      or 'name such as "SIGTERM", or number, of a signal expected, got ' .. type(sig))
  end
  check.arg(catchable, n, name, label .. " cannot be caught")
  return number, label
end

local function handlers(loop)
  local fields = loop:_fields()
  fields.signals = fields.signals or {}
  return fields.signals
end

--- At each arrival of the signal the loop calls `fn(...)`, as a callback in its turn, never inside
--- the signal; in place of the handler that the loop had for it, and of the action that the process
--- had. (asyncio's add_signal_handler)
---@param sig string|integer name ("SIGTERM") or number; one that cannot be caught is refused
---@param fn function
---@param ... any its arguments
function Loop:add_signal_handler(sig, fn, ...)
  local number = check_signal(sig, 1, "add_signal_handler")
  check.arg(check.callable(fn), 2, "add_signal_handler", "function expected, got " .. type(fn)
    .. (fn == nil and "; did you call it? write its name, arguments behind it" or ""))
  if self:is_closed() then check.state "this loop is closed; make a new one with new_event_loop" end
  local set = handlers(self)
  set[number] = set[number] or false -- then nothing can fail once the new one is there
  local handle = core._on_signal(self, number, false, fn, ...)
  local former = set[number]
  set[number] = handle
  if former then former:cancel() end
end

--- Removes the loop's handler; what the signal did to the process before is in force again.
---@param sig string|integer
---@return boolean whether there was one
function Loop:remove_signal_handler(sig)
  local number = check_signal(sig, 1, "remove_signal_handler")
  local set = handlers(self)
  local handle = set[number]
  if not handle then return false end
  set[number] = nil
  handle:cancel()
  return true
end

-- ---- signals ----

local Signals = {}
Signals.__index = Signals
Signals.__name = "Signals"

-- A handle is false between the making of its place and its own.
local function cancel_all(handles)
  for number, handle in pairs(handles) do
    if handle then handle:cancel() end
    handles[number] = false
  end
end

--- Ends it: the signals do again what they did before, and the loop over it ends. May be repeated.
function Signals:close()
  cancel_all(self._handles)
  self._arrived:shutdown(true)
end

Signals.__close = Signals.close

-- Nobody can ask it any more.
function Signals:__gc() cancel_all(self._handles) end

--- The name of the next signal; nil when it is closed. [suspends]
---@return string|nil
function Signals:__call()
  local ok, name = core.catch(core.QueueShutDown, self._arrived.get, self._arrived)
  return ok and name or nil
end

--- Signals one after the other: `for sig in aio.signals("SIGINT", "SIGTERM") do`. From the call on
--- they do nothing else to the process; leaving the loop in any way ends that. One that comes while
--- another is being dealt with is given next. [each step suspends]
---@param ... string|integer names or numbers
---@return table signals callable, with `close`, and the other values of a generic `for`
function M.signals(...)
  local wanted = {} -- number -> name
  check.arg(select("#", ...) > 0, 1, "signals", "at least one signal expected")
  for i = 1, select("#", ...) do
    local number, name = check_signal((select(i, ...)), i, "signals")
    wanted[number] = name
  end
  local loop, arrived = core.get_running_loop(), core.Queue()
  local self = setmetatable({ _handles = {}, _arrived = arrived }, Signals)
  local _ <close> = setmetatable({}, { __close = function(_, err) -- all or none
    if err ~= nil then self:close() end
  end })
  for number, name in pairs(wanted) do
    self._handles[number] = false
    self._handles[number] = core._on_signal(loop, number, true, arrived.put_nowait, arrived, name)
  end
  return self, nil, nil, self
end

return M
