-- SPDX-License-Identifier: MIT
--
-- Groups of errors: what a TaskGroup raises, and how to take one apart. The classes themselves are
-- made in C (bind/error.c).

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local is = core.is
local ExceptionGroup, BaseExceptionGroup = core.ExceptionGroup, core.BaseExceptionGroup

--- Is this an error that a program may handle? A BaseError that is no Error, a cancellation say,
--- has to pass.
---@param err any
---@return boolean
function M.is_error(err) return not is(err, core.BaseError) or is(err, core.Error) end

local function is_group(e) return is(e, ExceptionGroup, BaseExceptionGroup) end

-- A child that is a BaseError but no Error makes the group one that passes aio.pcall.
local function class_for(errors)
  for _, e in ipairs(errors) do
    if not M.is_error(e) then return BaseExceptionGroup end
  end
  return ExceptionGroup
end

--- A group of errors. `context` is the error that was unwinding when the group was raised;
--- `tracebacks` holds those of members that cannot hold one themselves, each at its member's place.
function M.group(message, errors, context, tracebacks)
  local g = class_for(errors)(message)
  g.errors = errors
  g.tracebacks = tracebacks and next(tracebacks) and tracebacks or nil
  g.context = context
  return g
end

core._group = M.group

-- A group like `g` with these errors, or nil when there are none.
local function derive(g, errors, tracebacks)
  if #errors == 0 then return nil end
  local new = M.group(g.message, errors, g.context, tracebacks)
  new.traceback = g.traceback
  return new
end

local function split(g, matches)
  if matches(g) then return g, nil end
  local yes, no = {}, {}
  local known, yes_known, no_known = g.tracebacks or {}, {}, {}
  for i, e in ipairs(g.errors or {}) do
    if matches(e) then
      yes[#yes + 1] = e
      yes_known[#yes] = known[i]
    elseif is_group(e) then
      local a, b = split(e, matches)
      yes[#yes + 1], no[#no + 1] = a, b
    else
      no[#no + 1] = e
      no_known[#no] = known[i]
    end
  end
  return derive(g, yes, yes_known), derive(g, no, no_known)
end

-- A function that tells whether an error matches: of a class, of one of a list, or by a function.
local function matcher(class, name)
  if type(class) == "function" then return class end
  check.arg(type(class) == "table", 1, name, "error class expected, got " .. type(class))
  if rawget(class, "name") then return function(e) return is(e, class) end end
  check.arg(#class > 0, 1, name, "an error class, or a list of them, expected")
  return function(e) return is(e, table.unpack(class)) end
end

for _, class in ipairs { ExceptionGroup, BaseExceptionGroup } do
  --- Two groups: the errors of the class (or list of classes, or for which a function is true), and
  --- the rest; nil where there is none. The nesting is kept.
  function class:split(wanted) return split(self, matcher(wanted, "split")) end

  --- The first of what split returns.
  function class:subgroup(wanted) return (split(self, matcher(wanted, "subgroup"))) end

  function class:__tostring()
    local lines = { ("%s: %s (%d error%s)"):format(self.name, self.message or "",
      #(self.errors or {}), #(self.errors or {}) == 1 and "" or "s") }
    for i, e in ipairs(self.errors or {}) do
      lines[#lines + 1] = ("  %d: %s"):format(i, (tostring(e):gsub("\n", "\n  ")))
    end
    return table.concat(lines, "\n")
  end
end

--- Calls `fn(...)`; when it raises an error of the class, or a group that holds some, returns
--- false and a group of those; the others go on. Else true and fn's results. [suspends]
---@param class table an error class or a list of them
---@param fn function
---@param ... any its arguments
---@return boolean ok
---@return any ... the group, or fn's results
function M.catch_group(class, fn, ...)
  local matches = matcher(class, "catch_group")
  check.arg(check.callable(fn), 2, "catch_group", "function expected, got " .. type(fn))
  local results = table.pack(pcall(fn, ...))
  if results[1] then return true, table.unpack(results, 2, results.n) end
  local err = results[2]
  if not is_group(err) then
    if matches(err) then return false, M.group("", { err }) end
    error(err, 0)
  end
  local mine, rest = split(err, matches)
  if rest then error(rest, 0) end
  return false, mine
end

return M
