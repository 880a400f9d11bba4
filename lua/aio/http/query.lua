-- SPDX-License-Identifier: MIT
--
-- Multi-maps: names that may come several times, in their order, told apart by case. What a query
-- and a form are read into. Invariant: a MultiDict is a flat list, [1] a name, [2] its value, ...

local hc = require "aio.http.core"
local array_mark = require "aio.json.array" -- so that JSON takes no empty list for an object
local check = require "aio.check"

local M = {}

local MOST_FIELDS = 1000

local MultiDict = { __name = "aio.http.MultiDict" }

-- Methods come before names: m:get("get") reads such a field.
function MultiDict.__index(self, name)
  local method = MultiDict[name]
  if method ~= nil then return method end
  for i = 1, rawlen(self), 2 do
    if rawget(self, i) == name then return rawget(self, i + 1) end
  end
  return nil
end

local function step(self, at)
  at[1] = at[1] + 2
  local name = rawget(self, at[1])
  if name == nil then return nil end
  return name, rawget(self, at[1] + 1)
end

-- One field after the other: the control variable must be the name, so the place is a value of the
-- loop's own.
function MultiDict.__pairs(self)
  local at = { -1 }
  return function() return step(self, at) end
end

--- How many fields there are.
function MultiDict.__len(self) return rawlen(self) // 2 end

function MultiDict.__newindex()
  check.state "a MultiDict is changed by its methods add, set and remove"
end

function MultiDict.__eq(a, b)
  if getmetatable(a) ~= getmetatable(b) or rawlen(a) ~= rawlen(b) then return false end
  for i = 1, rawlen(a) do
    if rawget(a, i) ~= rawget(b, i) then return false end
  end
  return true
end

function MultiDict.__tostring(self)
  local parts = {}
  for name, value in pairs(self) do
    parts[#parts + 1] = ("%s=%s"):format(name, tostring(value))
  end
  return ("MultiDict{%s}"):format(table.concat(parts, ", "))
end

--- The first value of a name.
---@param name string
---@param default? any what stands for a name that there is not
---@return any
function MultiDict:get(name, default)
  for i = 1, rawlen(self), 2 do
    if rawget(self, i) == name then return rawget(self, i + 1) end
  end
  return default
end

--- All values of a name, in order.
---@param name string
---@return any[]
function MultiDict:get_all(name)
  local values = {}
  for i = 1, rawlen(self), 2 do
    if rawget(self, i) == name then values[#values + 1] = rawget(self, i + 1) end
  end
  return setmetatable(values, array_mark)
end

--- Is there a value of that name?
---@param name string
---@return boolean
function MultiDict:has(name)
  for i = 1, rawlen(self), 2 do
    if rawget(self, i) == name then return true end
  end
  return false
end

--- Adds a field behind the others.
---@param name string
---@param value any not nil
function MultiDict:add(name, value)
  check.self(self, MultiDict, "add")
  check.arg(type(name) == "string", 1, "add", "name expected, got " .. type(name))
  check.arg(value ~= nil, 2, "add", "value expected, got nil")
  local n = rawlen(self)
  rawset(self, n + 1, name)
  rawset(self, n + 2, value)
end

--- Takes every field of a name away.
---@param name string
---@return integer n how many there were
function MultiDict:remove(name)
  check.self(self, MultiDict, "remove")
  local n, to = rawlen(self), 0
  for i = 1, n, 2 do
    local key, value = rawget(self, i), rawget(self, i + 1)
    if key ~= name then
      rawset(self, to + 1, key)
      rawset(self, to + 2, value)
      to = to + 2
    end
  end
  for i = n, to + 1, -1 do rawset(self, i, nil) end
  return (n - to) // 2
end

--- Puts one field in the place of all of that name.
---@param name string
---@param value any not nil
function MultiDict:set(name, value)
  check.self(self, MultiDict, "set")
  check.arg(value ~= nil, 2, "set", "value expected, got nil; remove takes a field away")
  self:remove(name)
  self:add(name, value)
end

local Class = {}
setmetatable(MultiDict, Class)

-- A value of a query as text; a list stands for several of them.
local function text_of(value, name, n, fn)
  local kind = math.type(value) or type(value)
  if kind == "string" then return value end
  if kind == "integer" or kind == "float" and value == value and value - value == 0 then
    return tostring(value)
  end
  check.argerror(n, fn, ("value of '%s': string or number expected, got %s"):format(name,
    value ~= value and "nan" or kind == "float" and tostring(value) or kind))
end

local function add_values(flat, name, value, n, fn, convert)
  check.arg(type(name) == "string", n, fn, "names are strings, got a " .. type(name))
  if type(value) ~= "table" or getmetatable(value) then value = { value } end
  if value[1] == nil and next(value) ~= nil then -- nothing of it would be sent
    check.argerror(n, fn, ("value of '%s': a value or a list of values expected, got a table with "
      .. "names"):format(name))
  end
  for _, one in ipairs(value) do
    flat[#flat + 1] = name
    flat[#flat + 1] = convert and text_of(one, name, n, fn) or one
  end
end

local function sorted_names(map, n, fn)
  local names = {}
  for name in pairs(map) do
    check.arg(type(name) == "string", n, fn, "names are strings, got a " .. type(name))
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The fields of `init` as a flat list: of a MultiDict, a list of { name, value }, or a map of names
-- to values or lists of them, in the order of its names, so that the same map gives the same text.
local function flatten(init, n, fn, convert)
  local flat = {}
  if getmetatable(init) == MultiDict then
    for name, value in pairs(init) do add_values(flat, name, value, n, fn, convert) end
  elseif init[1] ~= nil then
    for i, pair in ipairs(init) do
      check.arg(type(pair) == "table", n, fn, ("item %d: { name, value } expected"):format(i))
      add_values(flat, pair[1], pair[2], n, fn, convert)
    end
  else
    for _, name in ipairs(sorted_names(init, n, fn)) do
      add_values(flat, name, init[name], n, fn, convert)
    end
  end
  return flat
end

--- Makes a multi-map.
---@param init? table a map of names to values (or lists of values), a list of { name, value }, or
---a MultiDict
function Class.__call(_, init)
  check.arg(init == nil or type(init) == "table", 1, "MultiDict",
    "table of fields expected, got " .. type(init))
  return setmetatable(flatten(init or {}, 1, "MultiDict", false), MultiDict)
end

M.MultiDict = MultiDict

--- Makes a MultiDict of a flat list that the caller gives away.
function M.adopt(flat) return setmetatable(flat, MultiDict) end

--- Reads a query, or the body of a form: "a=1&b=2", percent-encoded, "+" for a space.
---@param text string
---@param max_fields? integer 1000; more raise RuntimeError
---@return table fields a MultiDict
function M.parse_query(text, max_fields)
  check.arg(type(text) == "string", 1, "parse_query", "string expected, got " .. type(text))
  local most = max_fields or MOST_FIELDS
  local flat = hc.parse_query(text, most)
  if not flat then
    check.state(("more than %d fields (parse_query takes another limit)"):format(most))
  end
  return setmetatable(flat, MultiDict)
end

--- Writes a query, or the body of a form.
---@param fields table|string a map, a list of { name, value }, a MultiDict; a string stays as it is
---@param n? integer which argument it is, and of which function, in errors
---@param fn? string
---@return string
function M.encode_query(fields, n, fn)
  if type(fields) == "string" then return fields end
  n, fn = n or 1, fn or "encode_query"
  check.arg(type(fields) == "table", n, fn, "fields, in a table, expected, got " .. type(fields))
  return hc.encode_query(flatten(fields, n, fn, true))
end

return M
