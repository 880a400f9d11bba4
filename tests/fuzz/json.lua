-- SPDX-License-Identifier: MIT
-- Texts that may be JSON: refused with their place, or read, written and read as the same.

local aio = require "aio"
local input = require "input"
local json = require "aio.json"

local PIECES = {
  "[", "]", "{", "}", ",", ":", "\"", "\"a\"", "\"\\u00e4\"", "\\u", "\\", "null", "true", "false",
  "0", "-1", "1e5", "9223372036854775807", "9223372036854775808", "0.1", "1e-400", " ", "\n",
  "\195\164", "\255",
  "\"\\ud83d\\ude00\"", "\"b\":", "[]", "{}", "\0", "e", ".",
}

local function text_of(i)
  if i:one_in(3) then return i.data:sub(i.at) end
  local parts = {}
  while not i:done() do
    parts[#parts + 1] = i:one_in(10) and i:take(i:int(0, 10)) or i:pick(PIECES)
  end
  return table.concat(parts)
end

local function same(a, b)
  if type(a) ~= "table" or a == json.null then return a == b and math.type(a) == math.type(b) end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return getmetatable(a) == getmetatable(b)
end

return input.target(function(i)
  local opts = i:pick { { big = "float" }, { big = "string" }, { unique_keys = true }, {} }
  local written = i:pick {
    { indent = 1 }, { sort_keys = true }, { sort_keys = true, indent = 3 }, {},
  }
  local text = text_of(i)
  local ok, value = pcall(json.decode, text, opts)
  if not ok then
    assert(aio.is(value, json.DecodeError), tostring(value))
    return
  end
  local again = json.encode(value, written)
  assert(utf8.len(again), "no UTF-8")
  assert(same(value, json.decode(again)), "not the same when it is read again")
end)
