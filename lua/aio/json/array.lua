-- SPDX-License-Identifier: MIT
--
-- The metatable that marks a table as an array, so that an empty one is not taken for an object.
-- A module of its own: as such it crosses to other threads by its name.

return { __name = "aio.json.array" }
