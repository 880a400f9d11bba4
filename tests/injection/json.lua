-- SPDX-License-Identifier: MIT
-- JSON both ways: a tree of jansson's, a text that grows, keys that are sorted.
local json = require "aio.json"
if not require("aio.optional").has "jansson" then return end
local list = {}
for i = 1, 40 do
  list[i] = { id = i, name = ("\195\164\n"):rep(i), on = i % 2 == 0, none = json.null }
end
local text = json.encode(list)
assert(#json.decode(text) == 40)
assert(#json.encode(json.decode(text), { indent = 2, sort_keys = true }) > #text)
local ok, err = pcall(json.encode, { a = { b = { 1 / 0 } } })
assert(not ok and (err.path == "a.b[1]" or tostring(err):find("memory", 1, true)), tostring(err))
