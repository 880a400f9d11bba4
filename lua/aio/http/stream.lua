-- SPDX-License-Identifier: MIT
--
-- http.stream: a response whose body a function writes, piece by piece, at the pace of the client.

local core = require "aio.core"
local check = require "aio.check"
local respond = require "aio.http.respond"
local response = require "aio.http.response"

local M = {}

-- ---- what the function writes to ----

--- The body being written. Fields: `request`, `response`.
---@class StreamOut
local Out = { __name = "StreamOut" }
Out.__index = Out

-- What the function has left behind writes nothing any more: the next response may be under way.
function Out:__close() self._ended = true end

local function total(n, ...)
  local size = 0
  for i = 1, n do
    local piece = select(i, ...)
    local kind = type(piece)
    check.arg(kind == "string" or kind == "number", i, "write",
      "string or number expected, got " .. kind)
    size = size + #tostring(piece)
  end
  return size
end

-- The head, the first time; "" after it.
local function head_of(out)
  if out._begun then return "" end
  out._begun = true
  return respond.head(out._c, out.request, out.response, out._length)
end

local function check_open(out, name)
  check.self(out, Out, name)
  if out._ended then check.state "this response has ended; write in its function only" end
end

local function over_length()
  check.state "more was written than the response's length says"
end

local function put(out, size, ...)
  local c, head, length = out._c, head_of(out), out._length
  c.bytes = c.bytes + size
  if length == -1 then return c:write(head, ("%x\r\n"):format(size), ...) end
  if length then
    if size > out._left then over_length() end
    out._left = out._left - size
  end
  return c:write(head, ...)
end

-- A piece through the encoder, which may keep it.
local function put_encoded(out, ...)
  local text = out.response._encoder(table.concat({ ... }))
  if text == "" then return out:flush() end
  return put(out, #text, text, "\r\n")
end

--- Sends strings and numbers, in order. Waits while the client does not read, at most the server's
--- `write_timeout` without progress: then, and when it has gone, OSError. [suspends]
---@param ... string|number
function Out:write(...)
  check_open(self, "write")
  local n = select("#", ...)
  local size = total(n, ...)
  if size == 0 then return self:flush() end
  if self.response._encoder then return put_encoded(self, ...) end
  if self._length ~= -1 then return put(self, size, ...) end
  if n == 1 then return put(self, size, (...), "\r\n") end
  local pieces = table.pack(...)
  pieces[n + 1] = "\r\n"
  return put(self, size, table.unpack(pieces, 1, n + 1))
end

--- Sends the head, if it is not gone yet. [suspends]
function Out:flush()
  check_open(self, "flush")
  local head = head_of(self)
  if head ~= "" then self._c:write(head) end
end

-- ---- the response ----

local methods = setmetatable({}, { __index = response.methods })
local Stream = { __name = "StreamResponse" }
Stream.__index, Stream.__newindex = response.accessors(methods)
M.class = Stream

local OPTIONS = {
  status = "number", reason = "string", headers = true, content_type = "string",
  length = "number", compress = true,
}

--- A response whose body `fn(out, req)` writes: `out:write(data)`, `out:flush()`. With HTTP/1.1 it
--- is sent in chunks, unless `length` is given. When `fn` raises after its first write, the
--- connection is aborted, so that the client sees that something is missing.
---@param fn fun(out: StreamOut, req: table)
---@param opts? table status (200), reason, headers, content_type ("application/octet-stream"),
---  length (bytes, when known), compress
---@return table response
function M.stream(fn, opts)
  check.arg(check.callable(fn), 1, "stream", "function(out) expected, got " .. type(fn))
  opts = check.options(opts, OPTIONS, 2, "stream")
  local length = opts.length and math.tointeger(opts.length)
  check.arg(not opts.length or length and length >= 0, 2, "stream",
    "option 'length': a number of bytes, not negative, expected")
  return setmetatable({
    status = response.check_status(opts.status, 200, "stream"), reason = opts.reason,
    content_type = opts.content_type or "application/octet-stream", compress = opts.compress,
    _h = response.special(opts), _fn = fn, _length = length,
  }, Stream)
end

local function out_of(res, c, req)
  local length = res._length
  if respond.is_bare(res.status) then
    length = respond.bare_length(res.status)
  elseif not length then
    length = req.minor == 1 and -1 or nil
    if not length then c.quit, c.special = true, true end -- that ends with the connection
  end
  return setmetatable({ _c = c, request = req, response = res, _length = length, _left = length },
    Out)
end

local function finish(out)
  local c, encoder = out._c, out.response._encoder
  local last = encoder and encoder(nil) or ""
  if last ~= "" then put(out, #last, last, "\r\n") end
  if out._length == -1 then
    c:write(head_of(out), "0\r\n\r\n")
  elseif out._length and out._left > 0 then
    error(core.RuntimeError(("the response ended %d bytes before its length"):format(out._left)), 0)
  else
    c:write(head_of(out))
  end
  out._ended = true
end

--- Sends the response. [suspends]
function methods:_send(c, req)
  local out <close> = out_of(self, c, req)
  if req.method == "HEAD" or respond.is_bare(self.status) then
    c.conn:write_nowait(head_of(out))
    return
  end
  c.bytes = 0
  self._fn(out, req)
  finish(out)
end

Stream._send = methods._send

return M
