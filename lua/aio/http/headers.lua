-- SPDX-License-Identifier: MIT
--
-- Headers that can be changed: names told apart without regard to case, in their order, each as
-- often as it was added. Headers that were received are another kind (src/http/headers.c), with the
-- same methods for reading. Invariant: Headers are a flat list, [1] a name, [2] its value as a
-- string, ..., in which every name and value can be sent.

local array_mark = require "aio.json.array" -- so that JSON takes no empty list for an object
local check = require "aio.check"
local hc = require "aio.http.core"

local M = {}

---@class Headers
local Headers = { __name = "Headers" }

local function same(a, b) return a == b or (#a == #b and a:lower() == b:lower()) end

-- The place of the first field of that name from `from` on, or nil.
local function find(self, name, from)
  for i = from, rawlen(self), 2 do
    if same(rawget(self, i), name) then return i end
  end
  return nil
end

local function check_name(name, n, method)
  check.arg(type(name) == "string", n, method, "the name of a header expected, got " .. type(name))
end

-- Methods come before names: h:get("get") reads such a header.
function Headers.__index(self, name)
  local method = Headers[name]
  if method ~= nil then return method end
  local i = type(name) == "string" and find(self, name, 1)
  return i and rawget(self, i + 1) or nil
end

local function remove(self, name)
  local to, n = 1, rawlen(self)
  for i = 1, n, 2 do
    local other = rawget(self, i)
    if not same(other, name) then
      if to ~= i then
        rawset(self, to, other)
        rawset(self, to + 1, rawget(self, i + 1))
      end
      to = to + 2
    end
  end
  for i = n, to, -1 do rawset(self, i, nil) end
end

local function check_field(name, value, n, method)
  local wrong = hc.check_field(name, value)
  if wrong then check.argerror(n, method, wrong) end
end

local function append(self, name, value)
  local n = rawlen(self)
  rawset(self, n + 1, name)
  rawset(self, n + 2, tostring(value))
end

-- A value, or a list of them, in place of what the name had.
local function put(self, name, value, n, method)
  check_name(name, n, method)
  local values = type(value) == "table" and value or { value }
  for _, v in ipairs(values) do check_field(name, v, n, method) end
  remove(self, name)
  for _, v in ipairs(values) do append(self, name, v) end
end

--- h[name] = value, a list of values, or nil for none.
function Headers.__newindex(self, name, value) put(self, name, value, 1, "headers[name]") end

--- Adds a field behind those that there are.
---@param name string a token
---@param value string|number without control characters
function Headers:add(name, value)
  check.self(self, Headers, "add")
  check_field(name, value, 1, "add")
  append(self, name, value)
end

--- The first value of a name.
---@param name string
---@param default? any what stands for a name that there is not
---@return any value
function Headers:get(name, default)
  check_name(name, 1, "get")
  local i = find(self, name, 1)
  if i then return rawget(self, i + 1) end
  return default
end

--- All values of a name, in order.
---@param name string
---@return string[]
function Headers:get_all(name)
  check_name(name, 1, "get_all")
  local values, i = {}, find(self, name, 1)
  while i do
    values[#values + 1] = rawget(self, i + 1)
    i = find(self, name, i + 2)
  end
  return setmetatable(values, array_mark)
end

--- Is there such a header?
---@param name string
---@return boolean
function Headers:has(name)
  check_name(name, 1, "has")
  return find(self, name, 1) ~= nil
end

--- How many fields there are.
function Headers.__len(self) return rawlen(self) // 2 end

-- The control variable must be the name, so the place is kept beside it.
function Headers.__pairs(self)
  local i = -1
  return function()
    i = i + 2
    local name = rawget(self, i)
    if name == nil then return nil end
    return name, rawget(self, i + 1)
  end
end

function Headers.__tostring(self)
  return ("Headers (%d): %p"):format(#self, self)
end

-- A list of {name, value}.
local function from_list(self, list)
  for i, field in ipairs(list) do
    if type(field) ~= "table" then
      check.argerror(1, "Headers", ("item %d is a %s; {name, value} expected"):format(i,
        type(field)))
    end
    check_field(field[1], field[2], 1, "Headers")
    append(self, field[1], field[2])
  end
end

-- Names in their order, so that the same table gives the same bytes.
local function from_map(self, map)
  local names = {}
  for name in pairs(map) do
    check_name(name, 1, "Headers")
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = map[name]
    if type(values) ~= "table" then values = { values } end
    for _, value in ipairs(values) do
      check_field(name, value, 1, "Headers")
      append(self, name, value)
    end
  end
end

local function is_headers(v)
  local meta = getmetatable(v)
  return meta == Headers
    or type(v) == "userdata" and type(meta) == "table" and meta.__name == "Headers"
end

--- Headers to be sent.
---@param init? table a map of names to a value or a list of values, a list of {name, value}, or
---  headers of either kind
---@return Headers
local function new(_, init)
  local self = setmetatable({}, Headers)
  if init == nil then return self end
  if is_headers(init) then
    for name, value in pairs(init) do append(self, name, value) end
  elseif type(init) ~= "table" then
    check.argerror(1, "Headers", "a table of headers expected, got " .. type(init))
  elseif init[1] ~= nil then
    from_list(self, init)
  else
    from_map(self, init)
  end
  return self
end

M.Headers = setmetatable(Headers, { __call = new })

--- Is it headers, of either kind?
---@param v any
---@return boolean
M.is_headers = is_headers

return M
