-- SPDX-License-Identifier: MIT
--
-- The option `handler_cancellation`: a handler is cancelled when its client goes away. Beside the
-- handler a task reads on: the next head, if there is one, or the end. Used by aio.http.serve.

local core = require "aio.core"
local many = require "aio.many"

local UPGRADE <const> = require("aio.http.core").UPGRADE

local M = {}

-- Reads until the next head is whole, or the end; then the handler's task is cancelled.
local function look(c)
  local ok, got = pcall(core._feed, c.conn, c.parser)
  if ok and got then return end
  if not ok and core.is(got, core.CancelledError) then error(got, 0) end
  c.gone = true
  c.task:cancel "the client went away"
end

-- A cancellation of the handler's own that comes meanwhile goes on.
local function stop(task)
  local cancelled = many.reap { task }
  if cancelled then error(cancelled, 0) end
end

--- Calls the handler, and cancels it when the client goes away meanwhile. [suspends]
function M.call(c, req, call)
  -- where the handler reads, it sees the end itself
  if c.left ~= 0 or c.flags & UPGRADE ~= 0 then return call(req) end
  c.parser:next()
  c.advanced, c.special = true, true
  local task = core.get_running_loop():create_task(look, c)
  local _ <close> = setmetatable({}, { __close = function() stop(task) end })
  local res = call(req)
  return res
end

return M
