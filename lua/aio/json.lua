-- SPDX-License-Identifier: MIT
--
-- aio.json: JSON for Lua values. The work is in aio/jansson.so (src/json), which is loaded when it
-- is first needed, and which another library can take the place of.

require "aio" -- says which lines are not the caller's
local core = require "aio.core"
local check = require "aio.check"
local optional = require "aio.optional"

local array_mark = require "aio.json.array"

local json = {
  --- What stands for null: a value that equals only itself.
  null = require "aio.json.null",
  --- A value that JSON cannot have. Fields: `path`.
  EncodeError = core.Error:extend "JSONEncodeError",
  --- A text that is no JSON. Fields: `line`, `column`, `position` (bytes).
  DecodeError = core.Error:extend "JSONDecodeError",
}

local library

local function load_library()
  library = optional.load "jansson"
  return library
end

-- ---- encoding ----

local ENCODE_OPTIONS = { indent = "number", sort_keys = "boolean" }

local function refuse(why, path)
  if not path then core._argerror(1, "encode", why) end
  core._raise(json.EncodeError(("cannot encode %s%s"):format(why,
    path == "" and "" or (", at %s"):format(path)), { path = path }))
end

--- Writes a value as JSON. Raises EncodeError for what JSON does not have, with its path.
---@param value any json.null stands for null
---@param opts? table indent (blanks for each level), sort_keys
---@return string
local function encode(value, opts)
  local indent, sorted
  if opts then
    check.options(opts, ENCODE_OPTIONS, 2, "encode")
    indent, sorted = opts.indent, opts.sort_keys
    check.arg(indent == nil or math.type(indent) == "integer" and indent >= 0 and indent <= 16, 2,
      "encode", "option 'indent': 0 to 16 blanks expected")
  end
  local text, why, path = (library or load_library()).encode(value, indent, sorted)
  if text then return text end
  refuse(why, path)
end

-- ---- decoding ----

local DECODE_OPTIONS = { big = "string", unique_keys = "boolean" }

local BIG = {
  float = function(digits) return digits .. ".0" end,
  string = function(digits) return '"' .. digits .. '"' end,
}

local LONG_DIGITS = ("%d"):rep(19) .. "%d*" -- shorter integers fit

-- Is the integer outside of what Lua's have? Else it stays as it is.
local function replace_big(digits, change)
  return math.type(tonumber(digits)) == "integer" and digits or change(digits)
end

-- The text with another spelling for each integer that is too big; those in strings stay.
local function respell(text, change)
  local parts, at = {}, 1
  while true do
    local quote = text:find('"', at, true)
    local plain = text:sub(at, (quote or #text + 1) - 1)
    parts[#parts + 1] = plain:gsub("()(%-?" .. LONG_DIGITS .. ")()", function(from, digits, to)
      if plain:find("^[.eE]", to) then return nil end
      if from > 1 and plain:find("^[%d.]", from - 1) then return nil end
      return replace_big(digits, change)
    end)
    if not quote then break end
    local stop = quote + 1
    while true do
      stop = text:find('["\\]', stop)
      if not stop or text:byte(stop) == 34 then break end
      stop = stop + 2
    end
    parts[#parts + 1] = text:sub(quote, stop or #text)
    at = (stop or #text) + 1
  end
  return table.concat(parts)
end

local function printable(text)
  return (text:gsub("[%c\127-\255]", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local function malformed(why, line, column, position)
  core._raise(json.DecodeError(("%s, in line %d, column %d"):format(printable(why), line, column),
    { line = line, column = column, position = position }))
end

--- Reads JSON. Raises DecodeError. Arrays are marked as such, and null is json.null.
---@param text string UTF-8
---@param opts? table big: what becomes of integers that Lua's cannot hold, "error" (default),
---"float", or "string"; unique_keys: a key that comes twice in an object is an error
---@return any
local function decode(text, opts)
  if type(text) ~= "string" then
    core._argerror(1, "decode", "string expected, got " .. type(text))
  end
  local big, unique
  if opts then
    check.options(opts, DECODE_OPTIONS, 2, "decode")
    unique, big = opts.unique_keys, opts.big
    check.arg(big == nil or big == "error" or BIG[big], 2, "decode",
      "option 'big': \"error\", \"float\" or \"string\" expected")
  end
  local parse = (library or load_library()).decode
  local ok, value, line, column, position, too_big = parse(text, unique)
  if ok then return value end
  if too_big and BIG[big] then
    ok, value, line, column, position = parse(respell(text, BIG[big]), unique)
    if ok then return value end
  end
  malformed(value, line, column, position)
end

-- ---- the public table ----

json.encode, json.decode = encode, decode

--- Marks a table as an array: an empty one is written as [], and one with other keys is refused.
---@param t? table
---@return table t the same
function json.array(t)
  check.arg(t == nil or type(t) == "table", 1, "array", "table expected, got " .. type(t))
  return setmetatable(t or {}, array_mark)
end

--- Puts another library in the place of this one, for everything that uses aio.json.
---@param other table|nil with functions encode(value) and decode(text); nil: back to our own
function json.use(other)
  check.arg(other == nil or type(other) == "table" and check.callable(other.encode)
    and check.callable(other.decode), 1, "use", "a table with 'encode' and 'decode' expected")
  json.encode = other and other.encode or encode
  json.decode = other and other.decode or decode
end

return json
