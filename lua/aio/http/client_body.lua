-- SPDX-License-Identifier: MIT
--
-- The body of a response: the bytes that follow its head on the link, up to where the head says
-- that they end. Who reads them to the end gives the link back to the pool; who does not, closes
-- it. A body that is short and here already is taken at once, and the link with it.

local core = require "aio.core"
local client_timeout = require "aio.http.client_timeout"
local errors = require "aio.http.errors"

local M = {}

local feed, read, unread = core._feed, core._read, core._unread
local next_wait = client_timeout.next_wait

local CHUNK = 65536 -- bytes read at once
local AT_ONCE = 65536 -- a body of so many bytes is taken with the head, when it is here

local Body = { waiting = 0, handed_on = false }
Body.__index = Body

-- ---- the end of the link ----

-- A body that nobody can reach any more has closed its connection; its slot is free on the next
-- turn, since the pool may be at work now.
local function abandoned(link, where)
  local loop = core.get_running_loop()
  if loop:get_debug() then
    loop:call_exception_handler {
      message = "a response was collected with its connection, which is closed now; read it to its "
        .. "end, or write local r <close>", kind = "unclosed", level = "warning", url = where,
    }
  end
  link.connector:_leave(link)
end

local Guard = { __gc = function(guard)
  local link = guard.link
  if not link then return end
  pcall(link.stream.abort, link.stream)
  pcall(guard.loop.call_soon, guard.loop, abandoned, link, guard.url)
end }

--- What gives the slot of a link back when nobody can reach the guard any more, until its `link` is
--- taken out.
function M.guard(link, req)
  return setmetatable({ link = link, loop = req.loop, url = req.target.text }, Guard)
end

local function let_go(self)
  local link = self.link
  self.link = nil
  if link then link.sending = nil end
  if self.guard then self.guard.link = nil end
  if self.sending then self.sending:cancel() end
  local ended = self.on_end
  self.on_end = nil
  return link, ended
end

-- The connection is of no use any more.
local function drop(self)
  local link, ended = let_go(self)
  if link then link.connector:_drop(link) end
  if ended then ended() end
end

-- The body was read to its end.
local function finish(self)
  local sending = self.sending
  local reusable = self.reusable and (not sending or sending.complete)
  local link, ended = let_go(self)
  if not link then return end
  link.parser:next()
  local waiting, queued = unread(link.stream)
  if reusable and waiting == 0 and queued == 0 then
    link.connector:_put(link)
  else
    link.connector:_drop(link)
  end
  if ended then ended() end
end

-- ---- reading what is on the link ----

local function fail(self, err)
  self.error = err
  drop(self)
  error(err, 0)
end

local function cut_short(self, err, text)
  local message = text or ("the connection ended before the body of the response: %s bytes are "
    .. "missing"):format(self.left and tostring(self.left) or "some")
  local made = errors.ClientPayloadError(message, { url = self.req.target.text })
  made.os_error, made.context = err, err
  fail(self, made)
end

local function timed_out(self)
  local _, err = pcall(client_timeout.raise_wait, self.req)
  fail(self, err)
end

-- What a wait returned, or nil at the end. [may raise]
local function looked_at(self, ok, data)
  if ok and data == false then timed_out(self) end
  if ok then return data end
  if core.is(data, core.OSError) then cut_short(self, data) end
  if core.is(data, core.TimeoutError) then fail(self, data) end
  error(data, 0) -- a cancelled read has lost nothing
end

local function limit_of(self)
  local ok, limit = pcall(next_wait, self.req)
  if not ok then fail(self, limit) end
  return limit
end

local function pull_counted(self)
  local left = self.left
  local n = left < CHUNK and left or CHUNK
  local data = looked_at(self, pcall(read, self.link.stream, n, limit_of(self)))
  if not data then cut_short(self) end
  self.left = left - #data
  if self.left == 0 then finish(self) end
  return data
end

local function pull_chunked(self)
  local link = self.link
  while true do
    local done = looked_at(self, pcall(feed, link.stream, link.parser, limit_of(self)))
    if not done then cut_short(self) end
    local data, last, message = link.parser:body()
    if not data then cut_short(self, nil, "malformed chunked body: " .. tostring(message)) end
    if last then finish(self) end
    if data ~= "" then return data end
    if last then return nil end
  end
end

local function pull_until_close(self)
  local data = looked_at(self, pcall(read, self.link.stream, CHUNK, limit_of(self)))
  if not data then finish(self) end
  return data
end

-- The next bytes as they were sent, or nil at the end. [suspends]
local function pull_raw(self)
  if self.error then error(self.error, 0) end
  local data = self.early
  if data then
    self.early = nil
    return data
  end
  if not self.link then return nil end
  data = self.pull(self)
  if data and self.req.trace then self.req.trace("response_chunk_received", { chunk = data }) end
  return data
end

-- ---- decoding ----

-- A function that gives the next bytes as the user wants them.
local function pull_of(self)
  local function pull() return pull_raw(self) end
  if not self.codings then return pull end
  return require("aio.http.coding").decoding(self.codings, pull, function(message, _, err)
    cut_short(self, err, ("the body of the response (Content-Encoding: %s) cannot be decoded: %s")
      :format(self.codings:sub(1, 40):gsub("[%c\127-\255]", "?"), err and err.message or message))
  end)
end

-- ---- making ----

-- Takes a short body that has come already. True when that was so.
local function take_at_once(self, length)
  if length > AT_ONCE then return false end
  local stream = self.link.stream
  local waiting = unread(stream)
  if not waiting or waiting < length then return false end
  local data = stream:read(length)
  if #data < length then -- a finalizer has read from this very stream
    cut_short(self, nil, "the connection was read by somebody else")
  end
  self.early, self.left = data, 0
  if self.req.trace then self.req.trace("response_chunk_received", { chunk = data }) end
  finish(self) -- the last that can be: from here on nothing raises
  return true
end

--- The body of a response whose head has been read.
---@param req table
---@param link table
---@param sending table|nil the upload
---@param headers table
---@param length integer bytes; -1: chunked, -2: until the connection ends
---@param reusable boolean can the connection be used again?
---@return table body
function M.new(req, link, sending, headers, length, reusable)
  local self = setmetatable({
    req = req, link = link, sending = sending, reusable = reusable,
    most = req.session._body_limits.body, most_decoded = req.session._body_limits.decoded,
  }, Body)
  if length == 0 then
    finish(self)
    return self
  end
  if req.session._auto_decompress then
    local coding = headers["content-encoding"]
    if coding and coding:lower() ~= "identity" then self.codings = coding end
  end
  if length > 0 then
    self.left, self.total, self.pull = length, length, pull_counted
    if take_at_once(self, length) then return self end
  else
    self.pull = length == -1 and pull_chunked or pull_until_close
  end
  self.guard = M.guard(link, req)
  return self
end

-- ---- for the response ----

--- The body as a stream (content.lua), always the same.
function Body:content()
  if self.stream then return self.stream end
  local data = self.whole
  self.stream = require("aio.http.content").new(not data and pull_of(self) or function()
    local chunk = data
    data = nil
    return chunk ~= "" and chunk or nil
  end)
  return self.stream
end

local function too_long(self, most, option)
  fail(self, errors.ClientPayloadError(("the body of the response is longer than %d bytes (option "
    .. "limits = { %s = ... } of the session); read it in chunks"):format(most, option),
    { url = self.req.target.text }))
end

-- Everything that is left. What has come stays in `parts`, for another task that goes on when this
-- one is cancelled. [suspends]
local function read_all(self)
  if self.stream then return self.stream:read "a" end
  local option = self.codings and "decoded" or "body"
  local most = self.codings and self.most_decoded or self.most
  if not self.codings and self.total and self.total > most then too_long(self, most, option) end
  local parts = self.parts or { pull = pull_of(self), got = 0 }
  self.parts = parts
  for data in parts.pull do
    parts.got = parts.got + #data
    if parts.got > most then too_long(self, most, option) end
    parts[#parts + 1] = data
  end
  return table.concat(parts)
end

-- This task does not read on. A part of the body is of no use to anybody but those who wait for all
-- of it.
local function give_up(self, err)
  self.handed_on = self.waiting > 0 and core.is(err, core.CancelledError)
  if not self.handed_on then self:close() end
  error(err, 0)
end

-- Waits while another task reads. [suspends]
local function wait_turn(self)
  self.waiting = self.waiting + 1
  local ok, err = pcall(self.turn.acquire, self.turn)
  self.waiting = self.waiting - 1
  if ok then return end
  if self.handed_on then give_up(self, err) end
  error(err, 0)
end

-- One task after the other: the first reads, the others find what it has read. [suspends]
local function read_in_turn(self)
  self.turn = self.turn or core.Lock()
  wait_turn(self)
  local _ <close> = self.turn
  self.handed_on = false
  if self.whole then return self.whole end
  if self.error then error(self.error, 0) end
  local ok, data = pcall(read_all, self)
  if not ok then give_up(self, data) end
  self.whole, self.parts = data, nil
  return data
end

--- The whole body, or what is left of it when it was read as a stream before; any number of tasks
--- may ask. After an error, also when it is cancelled and no other task waits for the body, the
--- connection is closed. [suspends]
---@return string
function Body:read()
  if self.whole then return self.whole end
  local early = self.early
  if early and not self.codings and not self.stream and #early <= self.most then
    self.early, self.whole = nil, early
    return early
  end
  return read_in_turn(self)
end

--- Gives the connection back, or closes it when something of the body was not read.
function Body:release()
  if self.link then self:close() end
end

--- Closes the connection.
function Body:close()
  if not self.link then return end
  self.error = self.error or errors.ClientConnectionError(
    "the response was closed before its body had been read")
  drop(self)
end

--- Calls `fn` when the link was given back: now, if that is so already.
function Body:when_done(fn)
  if self.link then self.on_end = fn else fn() end
end

--- Bytes that the body has as it is sent, nil when nobody knows.
function Body:size() return self.total end

return M
