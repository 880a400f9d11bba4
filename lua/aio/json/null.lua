-- SPDX-License-Identifier: MIT
--
-- aio.json.null: what stands for null, since a table cannot hold nil. A module of its own: as such
-- it crosses to other threads by its name, and is one and the same value everywhere.

return setmetatable({}, {
  __name = "aio.json.null",
  __tostring = function() return "null" end,
  __newindex = function() error("json.null cannot have fields", 2) end,
})
