-- SPDX-License-Identifier: MIT
--
-- http.file: a response that is a file, sent by the kernel where it can; conditional requests, one
-- range of bytes, and a compressed sibling when the client takes it.

local core = require "aio.core"
local aio_timeout = require "aio.timeout"
local check = require "aio.check"
local fs = require "aio.fs"
local http_core = require "aio.http.core"
local codings = require "aio.http.coding"
local exceptions = require "aio.http.exceptions"
local headers = require "aio.http.headers"
local mime = require "aio.http.mime"
local respond = require "aio.http.respond"
local response = require "aio.http.response"

local M = {}

local SMALL = 65536 -- up to so many bytes a file is read and sent with its head
local STEP = 4 << 20 -- sent between two looks at the clock
local SIBLINGS = { br = ".br", zstd = ".zst", gzip = ".gz" } -- the ends of their names
local FAVOURITES = { "br", "zstd", "gzip" }

local GONE = { ENOENT = true, ENOTDIR = true, ENAMETOOLONG = true, ELOOP = true, EINVAL = true }

--- What stat tells of a path. NotFound (404), Forbidden (403) when it is not to be had. [suspends]
function M.stat(path)
  local ok, info = core.catch(core.OSError, fs.stat, path)
  if ok then return info end
  if GONE[info.code] then error(exceptions.NotFound(), 0) end
  if info.code == "EACCES" or info.code == "EPERM" then error(exceptions.Forbidden(), 0) end
  error(info, 0)
end

local function open(path)
  local file, why, code = io.open(path, "rb")
  if file then return file end
  if code == 2 then error(exceptions.NotFound(), 0) end
  if code == 13 then error(exceptions.Forbidden(), 0) end
  error(core.OSError("open: " .. why), 0)
end

-- ---- conditions ----

local function etag_of(info, coding)
  return ('"%x-%x%s"'):format(info.mtime * 1e6 // 1 | 0, info.size, coding and "-" .. coding or "")
end

-- Is the tag in the list? Weak tags count only where that is enough.
local function listed(list, etag, weakly)
  if list == "*" then return true end
  for _, tag in ipairs(list) do
    if '"' .. tag.value .. '"' == etag and (weakly or not tag.weak) then return true end
  end
  return false
end

-- 412 or 304, in the order of RFC 9110, 13.2.2; nil: go on. Only GET and HEAD can say that the
-- client has it already.
local function condition(req, etag, mtime)
  local match, since = req.if_match, req.if_unmodified_since
  if match then
    if not listed(match, etag, false) then return 412 end
  elseif since and mtime > since then
    return 412
  end
  local reads, none = req.method == "GET" or req.method == "HEAD", req.if_none_match
  if none then
    if listed(none, etag, true) then return reads and 304 or 412 end
  elseif reads and req.if_modified_since and mtime <= req.if_modified_since then
    return 304
  end
end

-- The first and last byte that are asked for; nil: all; false: there are none.
local function range_of(req, etag, mtime, size)
  local range = req.method == "GET" and req.range
  if not range then return nil end
  local only = req.if_range
  if type(only) == "string" and only ~= etag then return nil end
  if type(only) == "number" and only ~= mtime then return nil end
  if req.headers["if-range"] and only == nil then return nil end
  local first, last = range.first, range.last
  if not first then
    if last == 0 then return false end
    return math.max(0, size - last), size - 1
  end
  if first >= size then return false end
  return first, math.min(last or size - 1, size - 1)
end

-- ---- sending ----

-- Sends a part of the file; a client that takes nothing for `write_timeout` seconds is given up.
local function send_part(c, file, at, count)
  local limit = c.settings.write_timeout
  local stop = at + count
  while at < stop do
    local ok = core.catch(core.TimeoutError, aio_timeout.timeout, limit, c.conn.sendfile,
      c.conn, file, at, math.min(STEP, stop - at))
    local now = file:seek()
    if now == at then
      c.conn:abort()
      error(ok and core.RuntimeError "the file has become shorter while it was sent"
        or core.OSError("write: the client does not read", { code = "ETIMEDOUT" }), 0)
    end
    at = now
  end
end

local function send_small(c, head, file, at, count)
  file:seek("set", at)
  local data = count > 0 and file:read(count) or ""
  if not data or #data ~= count then
    error(core.RuntimeError "the file has become shorter while it was sent", 0)
  end
  c:write(head, data)
end

local methods = setmetatable({}, { __index = response.methods })
local File = { __name = "FileResponse" }
File.__index, File.__newindex = response.accessors(methods)
M.class = File

-- The file, or the compressed sibling that the client likes best of those that are no older.
local function chosen(self, req)
  local path, info = self._path, self._info or M.stat(self._path)
  if info.type ~= "file" then error(exceptions.NotFound(), 0) end
  if self._precompressed then
    local stat = self._no_links and fs.lstat or fs.stat
    for _, name in ipairs(codings.wanted(req.headers, FAVOURITES)) do
      local beside = path .. SIBLINGS[name]
      local ok, sibling = core.catch(core.OSError, stat, beside)
      if ok and sibling.type == "file" and sibling.mtime >= info.mtime then
        return beside, sibling, name
      end
    end
  end
  return path, info
end

local function fill_headers(self, etag, mtime, coding)
  local h = self.headers
  h["ETag"] = etag
  h["Last-Modified"] = http_core.http_date(mtime)
  h["Accept-Ranges"] = "bytes"
  if coding then h["Content-Encoding"] = coding end
  if self._precompressed then h["Vary"] = "Accept-Encoding" end
end

-- Answers without the file: 304, 412, 416.
local function send_bare(self, c, req, status, size)
  if status == 416 then self.headers["Content-Range"] = ("bytes */%d"):format(size) end
  respond.send(c, req, status, nil, self._h, "text/plain; charset=utf-8",
    status == 304 and "" or ("%d: %s\n"):format(status, exceptions.reason(status)))
end

--- Sends the file. [suspends]
function methods:_send(c, req)
  self = respond.own(self)
  if respond.is_bare(self.status) then
    return respond.send(c, req, self.status, self.reason, self._h, nil, "")
  end
  local path, info, coding = chosen(self, req)
  local mtime, etag = info.mtime // 1 | 0, etag_of(info, coding)
  fill_headers(self, etag, mtime, coding)
  local status = self.status == 200 and condition(req, etag, mtime)
  if status then return send_bare(self, c, req, status) end
  local first, last
  if self.status == 200 then first, last = range_of(req, etag, mtime, info.size) end
  if first == false then return send_bare(self, c, req, 416, info.size) end
  local at, count = 0, info.size
  if first then
    at, count = first, last - first + 1
    self.status = 206
    self.headers["Content-Range"] = ("bytes %d-%d/%d"):format(first, last, info.size)
  end
  local file <close> = open(path)
  local head = respond.head(c, req, self, count)
  if req.method == "HEAD" then return c:write(head) end
  c.bytes = count
  if count <= SMALL then return send_small(c, head, file, at, count) end
  c.conn:write_nowait(head)
  send_part(c, file, at, count)
end

File._send = methods._send

local OPTIONS = {
  status = "number", headers = true, content_type = "string", filename = "string",
  max_age = "number", precompressed = "boolean",
}

-- A name for Content-Disposition (RFC 6266).
local function disposition(name)
  local plain = name:gsub('[%c"\\\128-\255]', "_")
  local encoded = name:gsub("[^%w!#$&+.^_`|~-]", function(c) return ("%%%02X"):format(c:byte()) end)
  return ("attachment; filename=\"%s\"; filename*=UTF-8''%s"):format(plain, encoded)
end

--- A response that is a file. The path is yours: never let it come from a request; for that there
--- is Application:static. A file that is not there is a 404.
---@param path string
---@param opts? table status, headers, content_type (by the extension), filename (the client saves
---  it under this name), max_age (seconds, for Cache-Control), precompressed (a sibling `path.br`,
---  `.zst`, `.gz` is sent to clients who take it)
---@return table response
function M.file(path, opts)
  check.arg(type(path) == "string" and not path:find "\0", 1, "file",
    "path expected, got " .. type(path))
  opts = check.options(opts, OPTIONS, 2, "file")
  local self = setmetatable({
    status = response.check_status(opts.status, 200, "file"),
    content_type = opts.content_type or mime.of(path), compress = false,
    _h = opts.headers and headers.Headers(opts.headers) or false,
    _path = path, _precompressed = opts.precompressed,
  }, File)
  if opts.filename then self.headers["Content-Disposition"] = disposition(opts.filename) end
  if opts.max_age then
    self.headers["Cache-Control"] = ("max-age=%d"):format(opts.max_age // 1)
  end
  return self
end

return M
