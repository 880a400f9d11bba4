-- SPDX-License-Identifier: MIT
--
-- Argument and state checks of the functions written in Lua. Errors blame the caller's line: the
-- nearest frame that is not aio's, found in C, so a tail call does not mislead it.

local core = require "aio.core"

local check = {}

--- Raises "bad argument #n to 'name' (message)" at the caller's line.
---@param n integer
---@param name string
---@param message string
check.argerror = core._argerror

--- Raises unless `ok`.
function check.arg(ok, n, name, message)
  if not ok then core._argerror(n, name, message) end
end

--- Raises RuntimeError (or `class`) for a wrong state, with the caller's line in `where`.
---@param message string
---@param class? table
function check.state(message, class) core._raise((class or core.RuntimeError)(message)) end

--- Can `v` be called?
---@return boolean
function check.callable(v)
  if type(v) == "function" then return true end
  local mt = getmetatable(v)
  return type(mt) == "table" and mt.__call ~= nil
end

--- Raises unless the value after `name` can be the function of a task: argument `n` of `name`.
---@param n integer
---@param name string
---@param ... any the function, or nothing
function check.task_function(n, name, ...)
  if type((...)) == "function" then return end
  local why = core._refusal(...)
  if why then core._argerror(n, name, why) end
end

--- Raises unless `self` is an object of the class: a dot was written for a colon.
---@param self any
---@param class table
---@param name string the method
function check.self(self, class, name)
  if getmetatable(self) == class then return end
  core._argerror(1, name, ("%s expected, got %s; write a colon before '%s'")
    :format(class.__name, type(self), name))
end

--- Checks a number of seconds: nil is allowed, nan is not.
function check.seconds(v, n, name)
  if v == nil then return end
  if type(v) ~= "number" then
    core._argerror(n, name, "number of seconds expected, got " .. type(v))
  end
  if v ~= v then core._argerror(n, name, "a number of seconds expected, got nan") end
end

--- Checks an option table against the names that exist; returns it, or an empty one.
---@param opts table|nil
---@param known table<string, string|true> name -> type wanted ("any" or true: all)
function check.options(opts, known, n, name)
  if opts == nil then return {} end
  if type(opts) ~= "table" then
    core._argerror(n, name, "table of options expected, got " .. type(opts))
  end
  for k, v in pairs(opts) do
    local want = known[k]
    if not want then
      local names = {}
      for key in pairs(known) do names[#names + 1] = key end
      table.sort(names)
      core._argerror(n, name, ("unknown option '%s' (there is: %s)")
        :format(tostring(k), table.concat(names, ", ")))
    elseif want ~= true and type(v) ~= want then
      core._argerror(n, name, ("option '%s': %s expected, got %s"):format(k, want, type(v)))
    end
  end
  return opts
end

return check
