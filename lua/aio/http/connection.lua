-- SPDX-License-Identifier: MIT
--
-- One connection of a server: what its loop (aio.http.serve), the request under way and what sends
-- the response share. Invariant: `req` is the request that is being answered, nil in between.

local core = require "aio.core"
local aio_http_core = require "aio.http.core"
local address = require "aio.address"
local check = require "aio.check"
local content = require "aio.http.content"
local exceptions = require "aio.http.exceptions"

local M = {}

local PIECE = 65536 -- bytes of a body read at a time
local DRAIN_MOST = 256 << 10 -- bytes of a body nobody wanted that are read so as to go on
local LINGER_MOST, LINGER_S = 1 << 20, 2 -- what is read after the end, so that the answer arrives
local CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"

--- Fields: `conn` (the stream), `parser`, `settings` (see aio.http.runner), `req`, `flags` (of the
--- request, see aio.http.core), `quit` (the connection ends with this response), `left` (bytes of
--- the body not read yet, -1: chunked and not at its end), `expects` (the client waits for 100
--- Continue), `started` (the head of the response is gone), `broken` (the body cannot be read on),
--- `taken` (the handler has the stream), `special` (one of quit, started, advanced, taken is set).
---@class Connection
local Connection = {
  __name = "Connection",
  -- what most connections never set is here, since ten thousand of them may be idle
  pull = false, pulled = false, started = false, expects = false, advanced = false, taken = false,
  quit = false,
  broken = false, served = false, secure = false, status = 0, bytes = 0,
}
Connection.__index = Connection

---@param conn table stream
---@param settings table
---@param secure boolean
---@return Connection
function M.new(conn, settings, secure)
  local self = setmetatable({
    conn = conn, settings = settings, parser = aio_http_core.parser("request", settings.limits),
    task = core.current_task(), req = false, left = 0, flags = 0, special = false,
  }, Connection)
  if secure then self.secure = true end
  settings.open[self] = true
  return self
end

--- The end of its scope: whatever has happened, the runner need not wait for it any more.
function Connection:__close() self.settings.open[self] = nil end

--- The address of the client, "" when it has none.
---@return string
function Connection:peer()
  local peer = self._peer
  if not peer then
    local at = self.conn:get_extra_info "peername"
    peer = type(at) == "table" and at.host or ""
    self._peer = peer
  end
  return peer
end

--- The same for messages, with the port.
function Connection:peer_name()
  local at = self.conn:get_extra_info "peername"
  if at == nil then return "a peer that has gone" end
  return at ~= "" and address.format(at) or "a local process"
end

---@return boolean over TLS?
function Connection:is_secure() return self.secure end

-- ---- sending ----

--- Waits until the client has taken most of what was written. A client that takes nothing for so
--- long is given up: OSError ETIMEDOUT. [suspends]
function Connection:drain()
  local conn = self.conn
  if core._drain(conn, self.settings.write_timeout) then return end
  conn:abort()
  error(core.OSError("write: the client does not read", { code = "ETIMEDOUT", syscall = "write" }),
    0)
end

--- After a whole response that is more than the client takes: whatever is raised from here on, no
--- other response may follow. [suspends]
function Connection:wait_sent()
  self.started, self.special = true, true
  self:drain()
end

--- Writes; waits as `drain` does when much is unsent. [suspends]
function Connection:write(...)
  if not self.conn:write_nowait(...) then self:drain() end
end

--- Is the client still there, as far as one can write?
function Connection:is_alive() return (pcall(self.conn.write_nowait, self.conn, "")) end

-- ---- the body of the request ----

local function gone(c, message)
  c.broken, c.quit, c.special = true, true, true
  error(core.IncompleteReadError(message, { partial = "" }), 0)
end

local function too_slow(c)
  c.broken, c.quit, c.special = true, true, true
  error(exceptions.RequestTimeout("the body came too slowly"), 0)
end

local function say_continue(c)
  c.expects = false
  if not c.started then c:write(CONTINUE) end
end

local function check_current(c, req)
  if c.req ~= req then
    check.state "the body of a request can be read only while its handler runs"
  end
  if c.taken then check.state "the handler has taken the connection over; read from that" end
end

-- A body with a length: it is not parsed.
local function counted(c, req)
  return function()
    check_current(c, req)
    if c.left == 0 then return nil end
    if c.expects then say_continue(c) end
    if c.broken then gone(c, "the body is not whole") end
    local data = core._read(c.conn, c.left < PIECE and c.left or PIECE, c.settings.body_timeout)
    if data == nil then gone(c, "the client went away before the end of its body") end
    if data == false then too_slow(c) end
    c.left = c.left - #data
    return data
  end
end

local function malformed(c, status, message)
  c.broken, c.quit, c.special = true, true, true
  error((exceptions.by_status[status] or exceptions.BadRequest)(message), 0)
end

local function chunked(c, req)
  return function()
    while true do
      check_current(c, req)
      if c.left == 0 then return nil end
      if c.expects then say_continue(c) end
      if c.broken then gone(c, "the body is not whole") end
      local fed = core._feed(c.conn, c.parser, c.settings.body_timeout)
      if fed == nil then gone(c, "the client went away before the end of its body") end
      if fed == false then too_slow(c) end
      local data, last, message = c.parser:body()
      if not data then malformed(c, last, message) end
      if last then c.left = 0 end
      if data ~= "" then return data end
    end
  end
end

local function puller(c, req)
  if c.pulled ~= req then -- not that of the request before, whose handler asked for it in vain
    c.pull, c.pulled = (c.left < 0 and chunked or counted)(c, req), req
  end
  return c.pull
end

--- The body of the request as a stream, decoded when it has a Content-Encoding.
---@return table Content
function Connection:content(req)
  if self.req ~= req then check_current(self, req) end
  local encoding = req.headers["content-encoding"]
  local pull = puller(self, req)
  if encoding and encoding:lower() ~= "identity" and req._length ~= 0 then
    pull = require("aio.http.coding").decoding(encoding, pull, function(message, status)
      error(exceptions.by_status[status](message), 0)
    end)
  end
  return content.new(pull)
end

--- May the connection go on after a response that is sent now? Not when too much of the body is
--- left, or the client was never told to send it.
---@return boolean
function Connection:can_finish_body()
  return not (self.expects or self.broken or self.left > DRAIN_MOST)
end

--- Reads what is left of a body that nobody has read, when that is little. [suspends]
---@return boolean whether the next request can be read
function Connection:finish_body()
  if self.left == 0 then return true end
  if not self:can_finish_body() then return false end
  local pull, size = puller(self, self.req), 0
  while true do
    local ok, data = pcall(pull)
    if not ok then
      if core.is(data, core.BaseError) and not core.is(data, core.Error) then error(data, 0) end
      return false
    end
    if not data then return true end
    size = size + #data
    if size > DRAIN_MOST then return false end
  end
end

--- Hands the stream to the handler: the server does nothing more with it but close it.
---@return table stream
function Connection:take_over(req)
  check_current(self, req)
  if self.started then check.state "the response has begun" end
  self.taken, self.started, self.quit, self.special = true, true, true, true
  self.status, self.bytes = 101, 0
  return self.conn
end

-- ---- the end ----

-- The client may still be sending: closing at once would make its system drop the answer.
local function linger(c)
  local conn, size = c.conn, 0
  if conn:can_write_eof() then conn:write_eof() end
  local deadline = core.get_running_loop():time() + LINGER_S
  while size < LINGER_MOST do
    local seconds = deadline - core.get_running_loop():time()
    local data = seconds > 0 and core._read(conn, PIECE, seconds)
    if not data then return end
    size = size + #data
  end
end

--- Closes; `rest`, and when something has come already: after reading what the client still sends,
--- within bounds. A client who does not
--- take the last answer is given up in time. [suspends]
function Connection:close(rest)
  local conn = self.conn
  if conn:is_closing() then return end
  conn:set_limits { high = 0, low = 0 }
  self:drain()
  if rest or (core._unread(conn) or 0) > 0 then linger(self) end
  conn:close()
end

return M
