-- SPDX-License-Identifier: MIT
--
-- Where errors were raised: a message handler for xpcall. Invariant: it returns the error itself,
-- since what a message handler returns is what the `<close>` scopes on the way out are given: a
-- time limit has to see its own CancelledError. So a place that the error cannot hold is kept here,
-- by coroutine, until the xpcall has ended and asks for it.

local core = require "aio.core"

local M = {}

local places = setmetatable({}, { __mode = "k" })

--- Message handler: notes where `err` was raised.
---@param err any
---@return any err
function M.note(err)
  if not core.is(err, core.BaseError) then
    places[coroutine.running()] = { err, core._passed(err) or debug.traceback(nil, 2) }
  elseif err.traceback == nil and core.is(err, core.Error) then
    err.traceback = debug.traceback(nil, 2)
  end
  return err
end

--- Where `err` was raised that is being raised again: nobody has asked since an xpcall with `note`
--- caught it.
---@param err any
---@return string|nil traceback
function M.again(err)
  local thread = coroutine.running()
  local place = places[thread]
  places[thread] = nil
  return place and rawequal(place[1], err) and place[2] or nil
end

--- What an xpcall with `note` has caught, and where it was raised, unless the error holds that.
---@param err any
---@return any err  an error in place of nil
---@return string|nil traceback
function M.of(err)
  local traceback = M.again(err)
  if err == nil then err = core.RuntimeError "nil raised" end
  return err, traceback
end

return M
