-- SPDX-License-Identifier: MIT
--
-- Writing multipart bodies: parts of strings, files, functions that give chunks, other writers. The
-- bytes are made while the body is sent. Invariant: a head is checked when its part is appended, so
-- nothing that comes later can break out of it.

local check = require "aio.check"
local core = require "aio.core"
local headers_of = require "aio.http.headers"

local M = {}

local RANDOM = 16 -- bytes of a boundary, written in hexadecimal

---@class MultipartWriter
local MultipartWriter = { __name = "MultipartWriter" }
MultipartWriter.__index = MultipartWriter

local function new_boundary()
  return (core._random(RANDOM):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- A name or a file's name as browsers write it. No other byte can end the quotes or the line.
local function quoted(text, option, n, fn)
  text = text:gsub('["\r\n]', { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" })
  check.arg(not text:find "%c", n, fn,
    ("option '%s': control characters cannot be sent"):format(option))
  return '"' .. text .. '"'
end

local PART_OPTIONS = {
  name = "string", filename = "string", content_type = "string", headers = "table",
}

-- The head of a part, with the empty line that ends it.
local function head_of(opts, kind, disposition, fn)
  local headers = headers_of.Headers(opts.headers)
  if disposition and (opts.name or opts.filename) then
    local text = disposition
    if opts.name then text = text .. "; name=" .. quoted(opts.name, "name", 2, fn) end
    if opts.filename then
      text = text .. "; filename=" .. quoted(opts.filename, "filename", 2, fn)
    end
    headers["Content-Disposition"] = text
  end
  if kind and not headers["Content-Type"] then headers["Content-Type"] = kind end
  local lines = {}
  for name, text in pairs(headers) do lines[#lines + 1] = name .. ": " .. text .. "\r\n" end
  return table.concat(lines) .. "\r\n"
end

-- What a part's bytes come from, as body.lua has it.
local function body_of(value, fn)
  if type(value) == "number" then value = tostring(value) end
  if getmetatable(value) == MultipartWriter then return value:_as_body() end
  return require("aio.http.body").of({ data = value }, 1, fn)
end

-- Text has no type of its own among the fields of a form; a file's is told by its name.
local function type_of(opts, body, value)
  if opts.content_type then return opts.content_type end
  if opts.filename then return require("aio.http.mime").of(opts.filename) end
  if type(value) == "string" or type(value) == "number" then return nil end
  return body.type
end

--- Adds a part.
---@param value any string, number, file, object with a method `read`, function that returns the
---next chunk or nil, or another writer
---@param opts? table name, filename, content_type, headers (a map, or http.Headers)
---@param fn? string the name of the call in errors
function MultipartWriter:append(value, opts, fn)
  check.self(self, MultipartWriter, "append")
  fn = fn or "append"
  opts = check.options(opts, PART_OPTIONS, 2, fn)
  local body = body_of(value, fn)
  local kind = type_of(opts, body, value)
  local disposition = self._subtype == "form-data" and "form-data" or "attachment"
  local part = { head = head_of(opts, kind, disposition, fn), body = body }
  self._parts[#self._parts + 1] = part
end

--- How many bytes the body will have; nil when a part does not know.
---@return integer|nil
function MultipartWriter:size()
  check.self(self, MultipartWriter, "size")
  local line = #self.boundary + 4 -- "--" boundary CR LF
  local size = line + 2
  for _, part in ipairs(self._parts) do
    if not part.body.size then return nil end
    size = size + line + #part.head + part.body.size + 2
  end
  return size
end

-- A function that gives the chunks of all, one after the other; small ones are put together.
local function chunks(self)
  local chunks_of = require("aio.http.body").chunks
  local line, n, source = "--" .. self.boundary, 0, nil
  return function()
    if source then
      local chunk = source()
      if chunk then return chunk end
      source = nil
    end
    n = n + 1
    local part, before = self._parts[n], n > 1 and "\r\n" or ""
    if part then
      local head = before .. line .. "\r\n" .. part.head
      if part.body.text and #part.body.text < 4096 then return head .. part.body.text end
      source = chunks_of(part.body)
      return head
    end
    return n == #self._parts + 1 and before .. line .. "--\r\n" or nil
  end
end

--- What the body of a message is made of: see body.lua.
function MultipartWriter:_as_body()
  local again = true
  for _, part in ipairs(self._parts) do again = again and part.body.again end
  return {
    type = self.content_type, size = self:size(), again = again or false,
    open = function() return chunks(self) end,
  }
end

M.MultipartWriter = setmetatable(MultipartWriter, {
  --- A multipart body to be sent: `data = writer` of a request.
  ---@param subtype? string "mixed", "form-data", "related", ...
  ---@param boundary? string at most 70 characters; random
  __call = function(_, subtype, boundary)
    subtype = subtype or "mixed"
    check.arg(type(subtype) == "string" and subtype:find "^[%w.+-]+$", 1, "MultipartWriter",
      "the part of the type behind \"multipart/\" expected")
    check.arg(boundary == nil or type(boundary) == "string" and #boundary <= 70
      and boundary:find "^[%w'()+_,./:=?-]+$", 2, "MultipartWriter",
      "a boundary of 1 to 70 letters, digits and \"'()+_,-./:=?\" expected")
    boundary = boundary or new_boundary()
    local shown = boundary:find "^[%w_.+-]+$" and boundary or '"' .. boundary .. '"'
    return setmetatable({
      boundary = boundary, content_type = ("multipart/%s; boundary=%s"):format(subtype, shown),
      _subtype = subtype, _parts = {},
    }, MultipartWriter)
  end,
})

return M
