-- SPDX-License-Identifier: MIT
--
-- The fields of a form to be sent: urlencoded, or multipart as soon as there is a file among them.

local check = require "aio.check"
local query = require "aio.http.query"
local writer = require "aio.http.multipart_writer"

local M = {}

---@class FormData
local FormData = { __name = "FormData" }
FormData.__index = FormData

local FIELD_OPTIONS = { filename = "string", content_type = "string", headers = "table" }

--- Adds a field.
---@param name string
---@param value any string or number; what a part of a MultipartWriter may be makes it multipart
---@param opts? table filename, content_type, headers: with any of them the form is multipart
function FormData:add_field(name, value, opts)
  check.self(self, FormData, "add_field")
  check.arg(type(name) == "string", 1, "add_field", "name expected, got " .. type(name))
  check.arg(value ~= nil, 2, "add_field", "value expected, got nil")
  opts = check.options(opts, FIELD_OPTIONS, 3, "add_field")
  local simple = type(value) == "string" or type(value) == "number"
  self._multipart = self._multipart or not simple or next(opts) ~= nil
  self._fields[#self._fields + 1] = {
    value = value, name = name, filename = opts.filename, content_type = opts.content_type,
    headers = opts.headers,
  }
end

--- Adds a file.
---@param name string of the field
---@param file any what its bytes come from: an io file, a string, a function that returns chunks
---@param filename string what the receiver shall call it
---@param content_type? string by the file's name
function FormData:add_file(name, file, filename, content_type)
  check.self(self, FormData, "add_file")
  check.arg(type(filename) == "string", 3, "add_file",
    "the name of the file expected, got " .. type(filename))
  self:add_field(name, file, { filename = filename, content_type = content_type })
end

local function multipart(self)
  local all = writer.MultipartWriter("form-data")
  for _, field in ipairs(self._fields) do
    all:append(field.value, { name = field.name, filename = field.filename,
      content_type = field.content_type, headers = field.headers }, "FormData")
  end
  return all:_as_body()
end

--- What the body of a request is made of: see body.lua.
function FormData:_as_body(as_multipart)
  if self._multipart or as_multipart then return multipart(self) end
  local pairs_of = {}
  for i, field in ipairs(self._fields) do pairs_of[i] = { field.name, field.value } end
  local text = query.encode_query(pairs_of)
  return { text = text, size = #text, type = "application/x-www-form-urlencoded", again = true }
end

local PART = { data = true, filename = "string", content_type = "string", headers = "table" }

-- A field of a table: a value, or { data=, filename=, content_type=, headers= }.
local function add(self, name, value)
  if type(value) == "table" and not getmetatable(value) and value.data ~= nil then
    check.options(value, PART, 1, "FormData")
    self:add_field(name, value.data, { filename = value.filename,
      content_type = value.content_type, headers = value.headers })
  else
    self:add_field(name, value)
  end
end

local function is_list(value)
  return type(value) == "table" and not getmetatable(value) and value.data == nil
end

local function add_map(self, map)
  local names = {}
  for name in pairs(map) do
    check.arg(type(name) == "string", 1, "FormData", "names are strings, got a " .. type(name))
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = is_list(map[name]) and map[name] or { map[name] }
    if values[1] == nil and next(values) ~= nil then -- nothing of it would be sent
      check.argerror(1, "FormData", ("'%s': a value, a list of values, or { data =, filename =, "
        .. "content_type = } expected"):format(name))
    end
    for _, value in ipairs(values) do add(self, name, value) end
  end
end

local function add_list(self, list)
  for i, pair in ipairs(list) do
    check.arg(type(pair) == "table", 1, "FormData", ("item %d: { name, value } expected"):format(i))
    add(self, pair[1], pair[2])
  end
end

local function add_pairs(self, fields)
  for name, value in pairs(fields) do add(self, name, value) end
end

M.FormData = setmetatable(FormData, {
  --- A form to be sent: `data = form` of a request.
  ---@param fields? table a map of names to values (or lists of values), a list of { name, value },
  ---or a MultiDict; a value may be { data=, filename=, content_type=, headers= }
  __call = function(_, fields)
    local self = setmetatable({ _fields = {}, _multipart = false }, FormData)
    check.arg(fields == nil or type(fields) == "table", 1, "FormData",
      "table of fields expected, got " .. type(fields))
    local from = not fields and add_list or getmetatable(fields) == query.MultiDict and add_pairs
      or fields[1] ~= nil and add_list or add_map
    from(self, fields or {})
    return self
  end,
})

return M
