-- SPDX-License-Identifier: MIT
--
-- Server-sent events as a client reads them: lines and fields as the WHATWG's HTML standard says,
-- in pieces of any size. Invariant: what is held of an event that is not whole is below the limit.

local core = require "aio.core"

local M = {}

local LIMIT = 1 << 20 -- bytes of one event
local BOM = "\xef\xbb\xbf"

local Parser = {}
Parser.__index = Parser

--- A parser. Fields: `last_event_id` (of the last event that had one), `retry` (milliseconds that
--- the server wants a client to wait before it connects again, or nil).
function M.new()
  return setmetatable({
    last_event_id = "", retry = nil,
    _events = {}, _first = 1, _line = {}, _size = 0, _data = {}, _type = "", _id = "",
    _start = "", _after_cr = false,
  }, Parser)
end

local function dispatch(self)
  self.last_event_id = self._id
  if #self._data > 0 then
    local events = self._events
    events[#events + 1] = {
      event = self._type ~= "" and self._type or "message",
      data = table.concat(self._data, "\n"), id = self._id, retry = self.retry,
    }
  end
  if #self._data > 0 then self._data = {} end
  self._type, self._size = "", 0
end

local function field(self, name, value)
  if name == "data" then
    self._data[#self._data + 1] = value
  elseif name == "event" then
    self._type = value
  elseif name == "id" then
    if not value:find("\0", 1, true) then self._id = value end
  elseif name == "retry" then
    if value:find "^%d+$" then self.retry = math.tointeger(tonumber(value)) or self.retry end
  end
end

local function take_line(self, line)
  if line == "" then return dispatch(self) end
  local name, value = line:match "^([^:]*):? ?(.*)$"
  if name ~= "" then return field(self, name, value) end
  self._size = self._size - #line -- a comment is not kept
end

-- A part of a line.
local function hold(self, text)
  self._size = self._size + #text
  if self._size > LIMIT then
    error(core.LimitOverrunError(("an event of more than %d bytes"):format(LIMIT),
      { consumed = self._size }), 0)
  end
  if text ~= "" then self._line[#self._line + 1] = text end
end

local function end_line(self, text)
  hold(self, text)
  local line = self._line
  if #line > 1 then
    text = table.concat(line)
  else
    text = line[1] or ""
  end
  if #line > 0 then self._line = {} end
  take_line(self, text)
end

-- The rest of what has come, without the mark that may stand at the very beginning; nil: wait.
local function after_mark(self, text)
  text = self._start .. text
  if #text < #BOM and BOM:sub(1, #text) == text then
    self._start = text
    return nil
  end
  self._start = nil
  return text:sub(1, #BOM) == BOM and text:sub(#BOM + 1) or text
end

--- Takes the next bytes. Raises LimitOverrunError when an event becomes too large.
---@param text string
function Parser:feed(text)
  if self._start then
    text = after_mark(self, text)
    if not text then return end
  end
  local at = 1
  if self._after_cr and text ~= "" then
    if text:byte() == 10 then at = 2 end
    self._after_cr = false
  end
  while true do
    local stop = text:find("[\r\n]", at)
    if not stop then break end
    end_line(self, text:sub(at, stop - 1))
    at = stop + 1
    if text:byte(stop) == 13 then
      if at > #text then self._after_cr = true end
      if text:byte(at) == 10 then at = at + 1 end
    end
  end
  hold(self, text:sub(at))
end

--- The next event that is whole: `event` ("message" when it has no name), `data`, `id` (of this one
--- or the last before it that had one), `retry`; or nil.
---@return table|nil
function Parser:next()
  local first = self._first
  local event = self._events[first]
  if not event then return nil end
  self._events[first] = nil
  self._first = first + 1
  if self._events[self._first] == nil then self._events, self._first = {}, 1 end
  return event
end

return M
