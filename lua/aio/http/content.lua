-- SPDX-License-Identifier: MIT
--
-- The body of a message while it is read, for servers and clients: methods like those of a stream
-- over a function that gives the next piece. What was pulled and not yet read stands in a queue of
-- pieces, so a read that is cancelled loses nothing. Below are the functions that give the pieces
-- of a body of each kind.

local check = require "aio.check"
local core = require "aio.core"

local M = {}

local PIECE = 65536 -- bytes of a piece at most
local LINE = 65536  -- bytes of a line at most, unless the maker says otherwise

---@class Content
local Content = { __name = "Content" }
Content.__index = Content

--- A body.
---@param pull fun(): string|nil  the next piece (not empty), nil at the end; may suspend, may
---  raise, and goes on after a cancellation
---@param limit? integer bytes of a line at most
---@return Content
function M.new(pull, limit)
  return setmetatable({ _pull = pull, _limit = limit or LINE, _first = 1, _last = 0, _at = 0,
    _total = 0, _eof = false }, Content)
end

-- ---- the queue ----

-- One more piece, if there is one. [suspends]
local function fill(self)
  if self._eof then return nil end
  local piece = self._pull()
  if piece == nil then
    self._eof = true
    return nil
  end
  self._last = self._last + 1
  self[self._last] = piece
  self._total = self._total + #piece
  return piece
end

-- The first piece is used up.
local function drop(self)
  self[self._first] = nil
  self._first, self._at = self._first + 1, 0
  if self._first > self._last then self._first, self._last = 1, 0 end
end

-- Up to `n` bytes of the first piece, which is there.
local function take_some(self, n)
  local piece, at = self[self._first], self._at
  local left = #piece - at
  if n >= left then
    drop(self)
    self._total = self._total - left
    return at > 0 and piece:sub(at + 1) or piece
  end
  self._at, self._total = at + n, self._total - n
  return piece:sub(at + 1, at + n)
end

-- The first `n` bytes, which are there.
local function take(self, n)
  local part = take_some(self, n)
  if #part == n then return part end
  local parts, left = { part }, n - #part
  while left > 0 do
    part = take_some(self, left)
    parts[#parts + 1] = part
    left = left - #part
  end
  return table.concat(parts)
end

local function take_all(self)
  return self._total > 0 and take(self, self._total) or ""
end

-- ---- reading ----

--- The next bytes, as many as have come at once. Suspends.
---@return string|nil  nil at the end
function Content:readany()
  if self._total == 0 and not fill(self) then return nil end
  return take_some(self, PIECE)
end

local function read_all(self)
  while fill(self) do end
  return take_all(self)
end

--- Up to `n` bytes, or all that is left. Suspends.
---@param n? integer|string  a count, above 0; nil, -1 or "a": all
---@return string|nil  nil at the end; all of nothing is ""
function Content:read(n)
  if n == nil or n == -1 or n == "a" then return read_all(self) end
  check.arg(math.type(n) == "integer" and n >= 0, 1, "read", "a number of bytes, or \"a\" expected")
  if n == 0 then return "" end
  if self._total == 0 and not fill(self) then return nil end
  return take_some(self, n)
end

--- Exactly `n` bytes. Suspends. Raises IncompleteReadError, with `partial` and `expected`.
---@param n integer
---@return string
function Content:readexactly(n)
  check.arg(math.type(n) == "integer" and n >= 0, 1, "readexactly",
    "a number of bytes, not negative, expected")
  while self._total < n do
    if not fill(self) then
      local partial = take_all(self)
      error(core.IncompleteReadError(("%d bytes read of %d expected"):format(#partial, n),
        { partial = partial, expected = n }), 0)
    end
  end
  return n > 0 and take(self, n) or ""
end

local function overrun(message, consumed)
  error(core.LimitOverrunError(message, { consumed = consumed }), 0)
end

-- How many bytes there are up to the end of the separator; nil: the body ends before it; false:
-- that is over the limit. Looks at each byte once; `tail` is what the separator may have begun
-- with. [suspends]
local function find(self, separator)
  local before, tail, i, from = 0, "", self._first, self._at
  while true do
    local piece = self[i]
    if not piece then
      piece = fill(self)
      if not piece then return nil end
      i, from = self._last, 0
    end
    local text = tail ~= "" and tail .. piece or piece
    local _, last = text:find(separator, from + 1, true)
    if last then
      local n = before + last - #tail - from
      return n - #separator <= self._limit and n
    end
    before = before + #piece - from
    if before - #separator >= self._limit then return false end
    tail = #separator > 1 and text:sub(math.max(from + 1, #text - #separator + 2)) or ""
    i, from = i + 1, 0
  end
end

--- Up to the separator, and with it. Suspends. Raises IncompleteReadError, with `partial`, at the
--- end, LimitOverrunError when the separator is too far.
---@param separator? string  "\n"
---@return string
function Content:readuntil(separator)
  separator = separator or "\n"
  check.arg(type(separator) == "string" and separator ~= "", 1, "readuntil",
    "a separator that is not empty expected")
  local n = find(self, separator)
  if n then return take(self, n) end
  if n == false then overrun("the separator is behind more bytes than the limit", self._total) end
  local partial = take_all(self)
  error(core.IncompleteReadError(("%d bytes read, then the end before the separator"):format(
    #partial), { partial = partial }), 0)
end

-- Throws away the line that is under way. [suspends]
local function discard(self)
  local gone = 0
  while self._total > 0 or fill(self) do
    local piece, at = self[self._first], self._at
    local last = piece:find("\n", at + 1, true)
    gone = gone + #take_some(self, (last or #piece) - at)
    if last then break end
  end
  overrun(("a line of %d bytes, over the limit of %d, was thrown away"):format(gone, self._limit),
    gone)
end

--- The next line, with its "\n"; the last one may have none. Suspends. Raises LimitOverrunError for
--- a line that is too long, which is gone then.
---@return string|nil  nil at the end
function Content:readline()
  local n = find(self, "\n")
  if n then return take(self, n) end
  if n == false then discard(self) end
  return self._total > 0 and take_all(self) or nil
end

--- Iterates over the lines. Each step suspends.
---@param format? string  "l": without line ends (the default), "L": with them
---@return fun(): string|nil
function Content:lines(format)
  check.arg(format == nil or format == "l" or format == "L", 1, "lines", "\"l\" or \"L\" expected")
  return function()
    local line = self:readline()
    if line and format ~= "L" and line:byte(-1) == 10 then return line:sub(1, -2) end
    return line
  end
end

--- Iterates over the bytes as they come, up to `n` at once. Each step suspends.
---@param n? integer
---@return fun(): string|nil
function Content:chunks(n)
  if n == nil then return function() return self:readany() end end
  check.arg(math.type(n) == "integer" and n > 0, 1, "chunks",
    "a number of bytes, above 0, expected")
  return function() return self:read(n) end
end

--- Has everything been read? False, too, while the end has not been seen yet.
---@return boolean
function Content:at_eof() return self._eof and self._total == 0 end

--- Reads to the end and throws it away, `max` bytes at most. [suspends]
---@param max integer
---@return boolean  that was the end
function Content:_drain(max)
  while max >= 0 do
    local piece = self:readany()
    if not piece then return true end
    max = max - #piece
  end
  return false
end

-- ---- where the pieces come from ----

-- Each function below gives a `pull`. `fail(kind, message, status)` raises what is right for a
-- server or a client: kind "end" (the stream ended inside the body), "time" (nothing came for so
-- long), "bad" (malformed; `status` is what a server answers). `seconds` (or nil) is how long one
-- piece may take.

local function ended(fail)
  return fail("end", "the connection ended before the body did")
end

local function too_slow(fail, seconds)
  return fail("time", ("nothing of the body came for %g seconds"):format(seconds))
end

--- A body of so many bytes.
---@param conn table stream
---@param length integer
---@param seconds number|nil
---@param fail fun(kind: string, message: string, status?: integer)
---@return fun(): string|nil
function M.counted(conn, length, seconds, fail)
  local left = length
  return function()
    if left == 0 then return nil end
    local data = core._read(conn, left < PIECE and left or PIECE, seconds)
    if data == nil then return ended(fail) end
    if not data then return too_slow(fail, seconds) end
    left = left - #data
    return data
  end
end

--- A body in chunks, which the parser has begun.
---@param conn table stream
---@param parser userdata
---@param seconds number|nil
---@param fail fun(kind: string, message: string, status?: integer)
---@return fun(): string|nil
function M.chunked(conn, parser, seconds, fail)
  local last = false
  return function()
    while not last do
      local fed = core._feed(conn, parser, seconds)
      if fed == nil then return ended(fail) end
      if not fed then return too_slow(fail, seconds) end
      local data, more, message = parser:body()
      if not data then return fail("bad", message, more) end
      last = more
      if data ~= "" then return data end
    end
    return nil
  end
end

--- A body that ends with the connection.
---@param conn table stream
---@param seconds number|nil
---@param fail fun(kind: string, message: string, status?: integer)
---@return fun(): string|nil
function M.until_close(conn, seconds, fail)
  return function()
    local data = core._read(conn, PIECE, seconds)
    if data == false then return too_slow(fail, seconds) end
    return data
  end
end

-- The next input for the decoder; false: there is none. [suspends]
local function feed(pull, decoder, fail, began)
  if decoder:rest() ~= "" then return fail("bad", "bytes behind the compressed body", 400) end
  local piece = pull()
  if piece then
    decoder:feed(piece)
    return true
  end
  if began and not decoder:finished() then
    return fail("end", "the compressed body ends early")
  end
  return false
end

--- What a decoder makes of another body, in pieces of bounded size. The decoder has `feed(data)`,
--- `read(max)` (bytes; nil: it wants input; nil and a message: malformed), `finished()` and
--- `rest()`.
---@param pull fun(): string|nil
---@param decoder userdata|table
---@param fail fun(kind: string, message: string, status?: integer)
---@return fun(): string|nil
function M.decoded(pull, decoder, fail)
  local began, ends = false, false
  return function()
    while not ends do
      local data, wrong = decoder:read(PIECE)
      if data then return data end
      if wrong then return fail("bad", wrong, 400) end
      began = feed(pull, decoder, fail, began)
      ends = not began
    end
    return nil
  end
end

M.Content = Content

return M
