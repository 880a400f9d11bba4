-- SPDX-License-Identifier: MIT
--
-- The form that a request brings, as a whole: a MultiDict of strings and files. For a server, so
-- what is wrong with it raises the answer. Large files are better read part by part
-- (req:multipart()): here all is in memory, within a limit.

local check = require "aio.check"
local exceptions = require "aio.http.exceptions"
local multipart = require "aio.http.multipart"
local hc = require "aio.http.core"
local query = require "aio.http.query"
local value = require "aio.http.value"

local M = {}

local FIELDS_MAX = 1000

---@class FileField
local FileField = { __name = "FileField" }
FileField.__index = FileField

--- The bytes of the file.
---@return string
function FileField:read()
  check.self(self, FileField, "read")
  return self._data
end

function FileField:__tostring()
  return ("FileField: '%s' (%s, %d bytes)"):format(self.filename, self.content_type, self.size)
end

M.FileField = FileField

--- Raises the answer of a server.
---@param status integer
---@param message string
function M.fail(status, message) error(exceptions.by_status[status](message), 0) end

--- The fields of a query, or of a form that is urlencoded.
---@param text string
---@return table fields a MultiDict
function M.query(text)
  local flat = hc.parse_query(text, FIELDS_MAX)
  if not flat then M.fail(400, ("more than %d fields"):format(FIELDS_MAX)) end
  return query.adopt(flat)
end

-- Either kind of field of a part.
local function field_of(part, max)
  if not part.filename then return part:text(max) end
  local data = part:read(max)
  return setmetatable({
    name = part.name, filename = part.filename, content_type = part.content_type,
    headers = part.headers, size = #data, _data = data,
  }, FileField)
end

local function size_of(field) return type(field) == "string" and #field or field.size end

--- The fields of a multipart form. [suspends]
---@param headers table|userdata
---@param content table
---@param max number bytes of all values together
---@return table fields a MultiDict
local function parts_of(headers, content, max)
  local fields, left = query.MultiDict(), max
  local reader = multipart.reader(headers, content, { max_parts = FIELDS_MAX }, M.fail)
  for part in reader:parts() do
    if not part.name then M.fail(400, "a part of a form has no name") end
    local field = field_of(part, left)
    left = left - size_of(field)
    fields:add(part.name, field)
  end
  return fields
end

--- The form of a request. [suspends]
---@param req table
---@param max number bytes
---@return table fields a MultiDict: strings, and for files FileField
function M.read(req, max)
  local kind = value.parse_content_type(req.headers["content-type"] or "")
  if kind == "application/x-www-form-urlencoded" then return M.query(req:read()) end
  if kind == "multipart/form-data" then return parts_of(req.headers, req.content, max) end
  if not req.body_exists then return query.MultiDict() end
  M.fail(415, "a form expected: application/x-www-form-urlencoded or multipart/form-data")
end

return M
