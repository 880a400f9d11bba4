-- SPDX-License-Identifier: MIT
--
-- How often a server's state is collected. Lua collects when as much has been allocated as is in
-- use, which for a small program that answers thousands of requests is all the time: each cycle
-- marks the whole program again. run_app lets some megabytes gather first; used by aio.http.run.

local M = {}

local GARBAGE_KIB = 4 << 10 -- may gather before a cycle
local LEAST, MOST = 200, 1000 -- per cent of what is in use: Lua's default, and its highest

local function pause_for(kib)
  return math.min(MOST, math.max(LEAST, 100 * (kib + GARBAGE_KIB) // kib))
end

-- Is called after each cycle: it is garbage in every one.
local function watch(state)
  if state.ended then return end
  collectgarbage("setpause", pause_for(collectgarbage "count" // 1 | 0))
  setmetatable({}, { __gc = function() watch(state) end })
end

--- Begins; what is returned ends it when it is closed.
---@return table
function M.relax()
  local state = { before = collectgarbage("setpause", LEAST) }
  watch(state)
  return setmetatable(state, { __close = function()
    state.ended = true
    collectgarbage("setpause", state.before)
  end })
end

return M
