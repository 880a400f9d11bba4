-- SPDX-License-Identifier: MIT
--
-- Condition:wait_for, which only combines; everything else of the class is in C.

local check = require "aio.check"
local core = require "aio.core"

--- Waits until `predicate()` is true; it is called with the lock held, first at once and then after
--- each notification. Suspends.
---@param predicate fun(): any
---@return any  what the predicate returned
function core.Condition:wait_for(predicate)
  check.arg(check.callable(predicate), 1, "wait_for", "function expected, got " .. type(predicate))
  local result = predicate()
  while not result do
    self:wait()
    result = predicate()
  end
  return result
end

return {}
