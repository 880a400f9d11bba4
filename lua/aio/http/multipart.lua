-- SPDX-License-Identifier: MIT
--
-- Reading multipart bodies, part by part, as they come: nothing but the head of a part and one
-- piece of its bytes is ever held. Over a Content, of a request, a response or another part. The
-- parser is src/proto/multipart.c. Invariant: what the parser has said is noted before anything
-- can suspend, so a read that is cancelled loses nothing.

local check = require "aio.check"
local content = require "aio.http.content"
local core = require "aio.core"
local hc = require "aio.http.core"
local headers_of = require "aio.http.headers"
local value = require "aio.http.value"

local M = {}

local HEAD_MAX = 16384         -- bytes of a part's head
local PARTS_MAX = 1000
local READ_MAX = 1024 * 1024   -- bytes of a part that is read as a whole

--- A multipart body that is malformed, ends early or is over a limit. `status`: what a server
--- answers.
M.MultipartError = core.Error:extend "MultipartError"

-- `fail` for those who bring none.
local function raise(status, message)
  error(M.MultipartError(message, { status = status }), 0)
end

-- ---- parts ----

---@class BodyPart
local BodyPart = { __name = "BodyPart" }
BodyPart.__index = BodyPart

-- The last component of a path of any system, without controls: "" when nothing is left of it.
local function base_name(path)
  local name = path:match "[^/\\]*$":gsub("%c", "_")
  return (name == "." or name == "..") and "" or name
end

-- A value of the part's bytes, or nil when there are no more. [suspends]
local function pull_of(reader, part)
  return function()
    if part._passed then
      check.state "this part has been passed over: read a part before the next one is asked for"
    end
    if part._ended then return nil end
    local what, data = reader:_step()
    if what == "data" then return data end
    part._ended = true
    return nil
  end
end

local function new_part(reader, fields)
  local headers = setmetatable(fields, headers_of.Headers)
  local _, disposition = value.parse_content_disposition(headers["Content-Disposition"] or "")
  local kind, params = value.parse_content_type(headers["Content-Type"] or "")
  local part = setmetatable({
    headers = headers, content_type = kind or "text/plain", charset = params and params.charset,
    name = disposition and disposition.name, _params = params or {}, _ended = false,
    _fail = reader._fail,
  }, BodyPart)
  local filename = disposition and disposition.filename
  part.filename = filename and base_name(filename)
  part.content = content.new(pull_of(reader, part))
  return part
end

local function check_max(max, name)
  check.arg(max == nil or type(max) == "number" and max >= 0, 1, name, "a number of bytes expected")
  return max or READ_MAX
end

--- All bytes of the part. Raises MultipartError (in a server 413) for more than `max`. [suspends]
---@param max? integer 1 MiB
---@return string
function BodyPart:read(max)
  check.self(self, BodyPart, "read")
  max = check_max(max, "read")
  local pieces, size = {}, 0
  while true do
    local piece = self.content:readany()
    if not piece then break end
    size = size + #piece
    if size > max then self._fail(413, ("a part has more than %d bytes"):format(max)) end
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

local LATIN = { ["iso-8859-1"] = true, ["us-ascii"] = true, latin1 = true, ascii = true }

--- The same as text in UTF-8. [suspends]
---@param max? integer bytes
---@return string
function BodyPart:text(max)
  check.self(self, BodyPart, "text")
  local charset, text = (self.charset or "utf-8"):lower(), self:read(max)
  if LATIN[charset] then
    return (text:gsub("[\128-\255]", function(c) return utf8.char(c:byte()) end))
  end
  if charset ~= "utf-8" then self._fail(415, "a part in a character set that is not known") end
  if not utf8.len(text) then self._fail(400, "a part that is no text in UTF-8") end
  return text
end

--- The same as JSON. [suspends]
---@param max? integer bytes
---@return any
function BodyPart:json(max)
  check.self(self, BodyPart, "json")
  local ok, result = pcall(require("aio.json").decode, self:read(max))
  if not ok then self._fail(400, "a part that is no JSON") end
  return result
end

--- Iterates over the bytes as they come, up to `n` at once. Each step suspends.
---@param n? integer
---@return fun(): string|nil
function BodyPart:chunks(n)
  check.self(self, BodyPart, "chunks")
  return self.content:chunks(n)
end

--- Iterates over the lines. Each step suspends.
---@param format? string "l" (without line ends) or "L"
---@return fun(): string|nil
function BodyPart:lines(format)
  check.self(self, BodyPart, "lines")
  return self.content:lines(format)
end

--- The bytes without the part's own Content-Encoding: a stream like `content`, whose size is
--- bounded by what came in.
---@return table content
function BodyPart:decoded()
  check.self(self, BodyPart, "decoded")
  local coding = self.headers["Content-Encoding"]
  if not coding then return self.content end
  local from, fail = self.content, self._fail
  return content.new(require("aio.http.coding").decoding(coding, function()
    return from:readany()
  end, function(message, status) fail(status, message) end))
end

--- A reader of the parts of a part that is multipart itself.
---@param opts? table as for http.MultipartReader
---@return table reader
function BodyPart:multipart(opts)
  check.self(self, BodyPart, "multipart")
  return M.reader(self.headers, self.content, opts, self._fail)
end

-- ---- the reader ----

---@class MultipartReader
local MultipartReader = { __name = "MultipartReader" }
MultipartReader.__index = MultipartReader

-- What comes next: "head" and fields, "data" and bytes, "last", "end". [suspends]
function MultipartReader:_step()
  if self._broken then self._fail(400, self._broken) end
  while true do
    local what, at, result = self._parser:next(self._piece, self._from)
    if not what then
      self._broken = at
      self._fail(400, at)
    end
    self._from = at
    if what ~= "more" then return what, result end
    local piece = self._content:readany()
    if not piece then
      self._broken = "the multipart body ends early"
      self._fail(400, self._broken)
    end
    self._piece, self._from = piece, 1
  end
end

-- Reads over what is left of the part before. [suspends]
local function pass_over(self)
  local part = self._part
  while part and not part._ended do
    part._passed = true
    if self:_step() ~= "data" then part._ended = true end
  end
  self._part = nil
end

--- The next part; what was not read of the one before is passed over. Raises MultipartError (in a
--- server BadRequest) for a body that is malformed, or ends early. [suspends]
---@return table|nil part nil when no more come
function MultipartReader:next()
  check.self(self, MultipartReader, "next")
  if self._ended then return nil end
  pass_over(self)
  local what, fields = self:_step()
  if what == "end" then
    self._ended = true
    return nil
  end
  self._count = self._count + 1
  if self._count > self._parts_max then
    self._broken = ("more than %d parts"):format(self._parts_max)
    self._fail(400, self._broken)
  end
  self._part = new_part(self, fields)
  return self._part
end

--- Iterates over the parts. Each step suspends.
---@return fun(): table|nil
function MultipartReader:parts()
  check.self(self, MultipartReader, "parts")
  return function() return self:next() end
end

local OPTIONS = { max_parts = "number", max_head = "number" }

--- A reader of the parts of a body.
---@param headers table with a Content-Type that has a boundary
---@param body table a Content
---@param opts? table max_parts (1000), max_head (bytes of a part's head, 16 KiB)
---@param fail? fun(status: integer, message: string) raises; without it MultipartError is raised
---@return table reader
function M.reader(headers, body, opts, fail)
  opts, fail = check.options(opts, OPTIONS, 3, "MultipartReader"), fail or raise
  local kind, params = value.parse_content_type(headers["Content-Type"] or "")
  if not kind or not kind:find "^multipart/" then fail(415, "a multipart body expected") end
  local parser = params.boundary and hc.multipart(params.boundary, opts.max_head or HEAD_MAX)
  if not parser then fail(400, "a multipart body without a valid boundary") end
  return setmetatable({
    content_type = kind, boundary = params.boundary, _parser = parser, _content = body,
    _fail = fail, _piece = "", _from = 1, _count = 0, _ended = false,
    _parts_max = opts.max_parts or PARTS_MAX,
  }, MultipartReader)
end

M.MultipartReader = setmetatable(MultipartReader, {
  --- A reader of the parts of a body: see MultipartReader:next.
  ---@param headers table|userdata
  ---@param body table a Content
  ---@param opts? table max_parts (1000), max_head (bytes of a part's head, 16 KiB)
  __call = function(_, headers, body, opts)
    check.arg(headers_of.is_headers(headers) or type(headers) == "table", 1, "MultipartReader",
      "headers expected, got " .. type(headers))
    check.arg(type(body) == "table" and body.readany, 2, "MultipartReader",
      "the content of a request, a response or a part expected")
    return M.reader(headers, body, opts)
  end,
})

return M
