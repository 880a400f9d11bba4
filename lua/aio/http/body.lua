-- SPDX-License-Identifier: MIT
--
-- The body of a request: from what the user gave to one shape. A body has either a `text`, or an
-- `open()` that returns a function which gives the next chunk, or nil at the end; that may wait.
-- `size`: bytes, nil when nobody knows; `type`: its Content-Type; `again`: can it be sent twice?

local check = require "aio.check"
local core = require "aio.core"

local M = {}

local CHUNK = 65536 -- bytes read at once
local OCTETS = "application/octet-stream"

local function of_text(text, kind)
  return { text = text, size = #text, type = kind, again = true }
end

-- An io file, from where it stands to its end; a pipe has no end that is known.
local function of_file(file)
  local from = file:seek()
  local to = from and file:seek "end"
  if to then file:seek("set", from) end
  return { size = to and to - from, type = OCTETS, again = to ~= nil, open = function()
    if to then file:seek("set", from) end
    return function() return file:read(CHUNK) end
  end }
end

-- A file of aio, the same; what is read by /proc says that it has no bytes, and has. [suspends]
local function of_aio_file(file)
  local seekable, from = core.catch(core.OSError, file.seek, file)
  local size = seekable and file:seek "end" - from or 0
  if seekable then file:seek("set", from) end
  return { size = size > 0 and size or nil, type = OCTETS, again = seekable, open = function()
    if seekable then file:seek("set", from) end
    return function() return file:read(CHUNK) end
  end }
end

-- An object with a method `read`: a stream, the content of another message.
local function of_reader(reader)
  return { type = OCTETS, open = function()
    return function() return reader:read(CHUNK) end
  end }
end

-- A function that returns the next chunk, or what a `for` takes.
local function of_function(fn) return { type = OCTETS, open = function() return fn end } end

local function has_read(v)
  local ok, read = pcall(function() return v.read end)
  return ok and check.callable(read)
end

local function of_data(data, n, name)
  if type(data) == "string" then return of_text(data, OCTETS) end
  if io.type(data) == "file" then return of_file(data) end
  check.arg(io.type(data) ~= "closed file", n, name, "option 'data': the file is closed")
  if getmetatable(data) == core._File then return of_aio_file(data) end
  local kind = type(data)
  if (kind == "table" or kind == "userdata") and data._as_body then return data:_as_body() end
  if kind == "userdata" and has_read(data) or kind == "table" and has_read(data) then
    return of_reader(data)
  end
  if check.callable(data) then return of_function(data) end
  check.argerror(n, name, ("option 'data': string, file, object with a method read, function that "
    .. "returns the next chunk, or http.FormData expected, got %s%s"):format(kind,
    kind == "table" and "; for fields of a form write form = {...}, for JSON json = {...}" or ""))
end

local function of_json(value)
  return of_text(require("aio.json").encode(value), "application/json")
end

local function of_form(fields, n, name)
  check.arg(type(fields) == "table", n, name,
    "option 'form': map of fields, or list of pairs, expected, got " .. type(fields))
  local hc, target = require "aio.http.core", require "aio.http.target"
  if fields._as_body then return fields:_as_body() end
  return of_text(hc.encode_query(target.flatten(fields, n, name, "form")),
    "application/x-www-form-urlencoded")
end

local function of_multipart(fields, n, name)
  check.arg(type(fields) == "table", n, name,
    "option 'multipart': http.FormData, or map of fields, expected, got " .. type(fields))
  if fields._as_body then return fields:_as_body(true) end
  return require("aio.http.formdata").FormData(fields):_as_body(true)
end

local MAKERS = { data = of_data, json = of_json, form = of_form, multipart = of_multipart }

--- The body that the options of a request name, or nil.
---@param opts table data, json, form, multipart: at most one
---@param n integer which argument of function `name` they are
---@return table|nil body
function M.of(opts, n, name)
  local from
  for option in pairs(MAKERS) do
    if opts[option] ~= nil then
      if from then
        local one, two = from < option and from or option, from < option and option or from
        check.argerror(n, name, ("options '%s' and '%s': only one of them"):format(one, two))
      end
      from = option
    end
  end
  return from and MAKERS[from](opts[from], n, name)
end

-- ---- with a coding ----

local CODINGS = { gzip = true, deflate = true, br = true, zstd = true }

local function encoded_chunks(body, coding)
  local encoder = require("aio.http.coding").encoder(coding)
  local next_chunk, ended = M.chunks(body), false
  return function()
    while not ended do
      local chunk = next_chunk()
      ended = chunk == nil
      local out = ended and encoder:finish() or encoder:write(chunk)
      if out ~= "" then return out end
    end
  end
end

--- The body in a content coding, and the name of that.
---@param coding string|boolean true: gzip
---@return table body
---@return string coding
function M.compressed(body, coding, n, name)
  coding = coding == true and "gzip" or coding
  check.arg(CODINGS[coding], n, name,
    "option 'compress': true, \"gzip\", \"deflate\", \"br\" or \"zstd\" expected")
  return { type = body.type, again = body.again, open = function()
    return encoded_chunks(body, coding)
  end }, coding
end

--- A function that gives the chunks of a body, one after the other.
---@param body table
---@return function
function M.chunks(body)
  if body.open then return body.open() end
  local text, at = body.text, 1
  return function()
    if at > #text then return nil end
    local chunk = text:sub(at, at + CHUNK - 1)
    at = at + #chunk
    return chunk
  end
end

return M
