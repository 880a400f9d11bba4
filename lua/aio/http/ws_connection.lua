-- SPDX-License-Identifier: MIT
--
-- A WebSocket connection, whichever side it is: messages, control frames, closing. What comes is
-- taken apart by a sink in C (src/http/websocket.c); here a message becomes an object, and each
-- frame is written by one call, so that frames of several tasks never mix.
--
-- States: "open"; "closing": our close frame is sent, nothing more is; "closed".

local core = require "aio.core"
local hc = require "aio.http.core"
local check = require "aio.check"
local extension = require "aio.http.ws_extension"
local heartbeat = require "aio.http.ws_heartbeat"
local timeout = require("aio.timeout").timeout

local M = {}

-- What runs for each message.
local feed, drain_within = core._feed, core._drain
local write, write_nowait, drain =
  core._Stream.write, core._Stream.write_nowait, core._Stream.drain
local ws_frame, take = hc.ws_frame, hc.ws_reader(true, 0).take

local TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
local FIN, COMPRESSED = 0x80, 0x40

local GOING_AWAY, NO_STATUS, LOST, INTERNAL = 1001, 1005, 1006, 1011
local LINGER_SECONDS, NO_LIMIT = 2, 1 << 40

--- Raised by what is sent when the connection is closed, and told by `exception`: `code`.
M.WebSocketError = core.Error:extend "WebSocketError"

-- ---- messages ----

--- A message: `type` ("text" or "binary") and `data`, a string. `tostring` and `#` are the data's.
local Message = { __name = "WebSocketMessage" }
Message.__index = Message
Message.__tostring = function(self) return self.data end
Message.__len = function(self) return #self.data end

--- The data, decoded from JSON.
---@return any
function Message:json() return require("aio.json").decode(self.data) end

M.WebSocketMessage = Message

local NAMES = { [TEXT] = "text", [BINARY] = "binary" }

-- ---- the connection ----

local WebSocket = { __name = "WebSocket" }
WebSocket.__index = WebSocket
M.WebSocket = WebSocket

local lose
local ask, give_up -- of a heartbeat

--- Makes a WebSocket of a stream whose handshake is done.
---@param conn table
---@param client boolean
---@param settings table max_msg_size, close_timeout and perhaps protocol, terms (of compression),
---  heartbeat, receive_timeout, write_timeout, on_close
function M.new(conn, client, settings)
  local max = settings.max_msg_size
  max = max == 0 and NO_LIMIT or max
  local self = setmetatable({
    protocol = settings.protocol, closed = false, close_code = nil, close_reason = nil,
    compress = settings.terms ~= nil,
    _conn = conn, _client = client, _state = "open", _max = max,
    _reader = hc.ws_reader(not client, max, settings.terms ~= nil),
    _codec = settings.terms and extension.codec(settings.terms),
    _close_seconds = settings.close_timeout, _write_seconds = settings.write_timeout,
    _receive_seconds = settings.receive_timeout, _on_close = settings.on_close,
    _loop = core.get_running_loop(), _reading = false,
  }, WebSocket)
  if settings.heartbeat then
    self._heartbeat = heartbeat.start(self, settings.heartbeat, ask, give_up)
  end
  return self
end

function WebSocket:__tostring()
  return ("WebSocket (%s, %s)"):format(self._client and "client" or "server", self._state)
end

-- ---- frames that are written ----

-- Heads of short frames, by their two bytes.
local heads = {}

local function head_of(first, length)
  local head = hc.ws_head(first, length)
  if length < 126 then heads[first << 7 | length] = head end
  return head
end

-- As `write`, but a peer that takes nothing for so long is given up.
local function write_in_time(conn, seconds, ...)
  if write_nowait(conn, ...) then return drain(conn) end -- gives others their turn
  if drain_within(conn, seconds) then return end
  conn:abort()
  error(core.OSError("write: the peer does not read", { code = "ETIMEDOUT", syscall = "write" }), 0)
end

-- One frame, which is taken whole before anything waits: true, or false and what was raised.
local function try_write(self, first, payload)
  if self._client then return pcall(write, self._conn, ws_frame(first, payload)) end
  local length, seconds = #payload, self._write_seconds
  local head = length < 126 and heads[first << 7 | length] or head_of(first, length)
  if seconds then return pcall(write_in_time, self._conn, seconds, head, payload) end
  return pcall(write, self._conn, head, payload)
end

local function closed_error(self)
  local text = "the WebSocket is closed"
  if self.close_code then
    text = ("%s (code %d%s)"):format(text, self.close_code,
      (self.close_reason or "") ~= "" and ": " .. self.close_reason or "")
  end
  return M.WebSocketError(text, { code = self.close_code, websocket = self })
end

-- What the stream raised, as the error of this connection: an OSError, or that it is closed, by
-- whoever has given it up.
local function lost_error(self, err)
  local os_error = core.is(err, core.OSError) and err or nil
  if not os_error and not (core.is(err, core.RuntimeError) and self._conn:is_closing()) then
    return err
  end
  self.close_code = self.close_code or LOST
  local text = "the connection is lost" .. (os_error and ": " .. os_error.message or "")
  return M.WebSocketError(text, { code = LOST, os_error = os_error, websocket = self })
end

-- After a loss nothing more is sent; what has come before it can still be received, unless the
-- connection was given up.
local function send_failed(self, err)
  local lost = lost_error(self, err)
  if lost ~= err and self._state == "open" then
    self._lost = lost
    if self._conn:is_closing() then lose(self, err) end
  end
  error(lost, 0)
end

local function send_frame(self, first, payload)
  if self._state ~= "open" or self._lost then error(closed_error(self), 0) end
  local ok, err = try_write(self, first, payload)
  if not ok then send_failed(self, err) end
end

-- An answer: that the connection is lost shows in what is read.
local function send_quietly(self, opcode, data)
  if self._state ~= "open" then return end
  local ok, err = pcall(send_frame, self, FIN | opcode, data)
  if not ok and not core.is(err, M.WebSocketError) then error(err, 0) end
end

-- Calls what changes the state of compression, which both ends must share. When that fails, for
-- want of memory, they no longer do: the connection is given up.
local function in_step(self, fn, ...)
  local ok, a, b, c = pcall(fn, ...)
  if ok then return a, b, c end
  if not core.is(a, core.CancelledError, M.WebSocketError) then self._conn:abort() end
  error(a, 0)
end

local function send_compressed(self, opcode, data)
  local short = self._codec:compress(data)
  if short then
    opcode, data = opcode | COMPRESSED, short
  end
  return send_frame(self, FIN | opcode, data)
end

local function send_message(self, opcode, data, compress)
  if self._codec and compress ~= false and self._state == "open" then
    return in_step(self, send_compressed, self, opcode, data)
  end
  return send_frame(self, FIN | opcode, data)
end

local SEND_OPTIONS = { compress = "boolean" }

local function send_options(opts, name)
  return check.options(opts, SEND_OPTIONS, 2, name).compress
end

--- Sends a message: a string as text, which must be UTF-8, or a message that was received, as what
--- it is. Waits only while the peer takes less than is sent. [suspends] Raises WebSocketError when
--- the connection is closed.
---@param data string|table
---@param opts? table compress (false: not this message)
function WebSocket:send(data, opts)
  if getmetatable(self) ~= WebSocket then check.self(self, WebSocket, "send") end
  local opcode = TEXT
  if getmetatable(data) == Message then
    if data.type ~= "text" then opcode = BINARY end
    data = data.data
  else
    check.arg(type(data) == "string", 1, "send", "string or message expected, got " .. type(data))
    check.arg(hc.utf8(data), 1, "send", "text is not UTF-8; use send_bytes for other data")
  end
  return send_message(self, opcode, data, opts and send_options(opts, "send"))
end

--- Sends a binary message. [suspends] As `send`.
---@param data string
---@param opts? table compress (false: not this message)
function WebSocket:send_bytes(data, opts)
  check.self(self, WebSocket, "send_bytes")
  check.arg(type(data) == "string", 1, "send_bytes", "string expected, got " .. type(data))
  send_message(self, BINARY, data, opts and send_options(opts, "send_bytes"))
end

--- Sends a value as JSON, in a text message. [suspends] As `send`.
---@param value any
---@param opts? table compress (false: not this message)
function WebSocket:send_json(value, opts)
  check.self(self, WebSocket, "send_json")
  send_message(self, TEXT, require("aio.json").encode(value),
    opts and send_options(opts, "send_json"))
end

local function send_control(self, opcode, data, name)
  check.self(self, WebSocket, name)
  data = data or ""
  check.arg(type(data) == "string" and #data <= 125, 1, name,
    "string of at most 125 bytes expected")
  send_frame(self, FIN | opcode, data)
end

--- Sends a ping; the peer answers it by a pong, which whoever receives sees nothing of. [suspends]
---@param data? string at most 125 bytes
function WebSocket:ping(data) send_control(self, PING, data, "ping") end

--- Sends a pong that nobody has asked for. [suspends]
---@param data? string at most 125 bytes
function WebSocket:pong(data) send_control(self, PONG, data, "pong") end

-- ---- the end ----

-- At most 123 bytes, whole characters.
local function fit_reason(reason)
  if #reason <= 123 then return reason end
  local at = 124
  while at > 1 and reason:byte(at) & 0xc0 == 0x80 do at = at - 1 end
  return reason:sub(1, at - 1)
end

local function write_close(self, payload)
  if self._client then return write_nowait(self._conn, ws_frame(FIN | CLOSE, payload)) end
  write_nowait(self._conn, head_of(FIN | CLOSE, #payload), payload)
end

-- Our close frame, once. What goes wrong no longer matters. Does not wait: the peer may not read,
-- and what comes next has a limit.
local function send_close(self, code, reason)
  if self._state ~= "open" then return end
  self._state = "closing"
  local payload = code ~= NO_STATUS and string.pack(">I2", code) .. fit_reason(reason or "") or ""
  local ok, err = pcall(write_close, self, payload)
  if not ok and not core.is(err, core.OSError, core.RuntimeError) then error(err, 0) end
end

-- The connection is done with.
local function finish(self, how)
  if self._state == "closed" then return end
  self._state, self.closed = "closed", true
  self.close_code = self.close_code or LOST
  if self._heartbeat then self._heartbeat:stop() end
  if how == "abort" then self._conn:abort() else self._conn:close() end
  if self._closed_event then self._closed_event:set() end
  local on_close = self._on_close
  self._on_close = nil
  if on_close then on_close(self) end
end

-- Until the peer closes the connection, for so many seconds; what comes is thrown away. How to
-- close it then.
local function linger(self, seconds)
  self._reader:stop()
  self._reading = true
  local ok, came = pcall(feed, self._conn, self._reader, seconds)
  self._reading = false
  if not ok and not core.is(came, core.OSError, core.RuntimeError) then
    finish(self, "abort")
    error(came, 0)
  end
  return ok and came == nil and "close" or "abort"
end

-- The peer broke the rules, or sent too much: says so, and gives it time to read that.
local function fail(self, code, why)
  self.close_code, self.close_reason = code, why
  self._exception = M.WebSocketError(why, { code = code, websocket = self })
  send_close(self, code, why)
  if self._conn:can_write_eof() then pcall(self._conn.write_eof, self._conn) end
  finish(self, linger(self, math.min(LINGER_SECONDS, self._close_seconds)))
end

-- The connection ended without a word.
function lose(self, err)
  self.close_code = self.close_code or LOST
  self._exception = err and lost_error(self, err)
    or M.WebSocketError("the connection is lost", { code = LOST, websocket = self })
  finish(self, "abort")
end

local function ping_now(self)
  self._conn:write_nowait(self._client and ws_frame(FIN | PING, "") or head_of(FIN | PING, 0))
end

-- That it cannot be sent shows in what is read, or sent next.
function ask(self) pcall(ping_now, self) end

-- Nothing comes any more.
function give_up(self, why)
  self.close_code = LOST
  self._exception = M.WebSocketError(why, { code = LOST, websocket = self })
  finish(self, "abort")
end

-- Until all is sent, for so many seconds. How to close the connection then.
local function flush(self, seconds)
  self._conn:set_limits { high = 0, low = 0 }
  local ok, done = pcall(core._drain, self._conn, seconds)
  if not ok and not core.is(done, core.OSError, core.RuntimeError) then
    finish(self, "abort")
    error(done, 0)
  end
  return ok and done and "close" or "abort"
end

-- The peer's close frame is there. Servers close the connection, clients wait for that.
local function peer_closes(self, code, reason)
  self.close_code, self.close_reason = code, reason
  send_close(self, code)
  finish(self, (self._client and linger or flush)(self, self._close_seconds))
end

-- ---- what comes ----

-- What was raised while it waited, as what ended the connection: an OSError or nil.
local function end_of(self, err)
  if core.is(err, core.OSError) then return err end
  if core.is(err, core.RuntimeError) and self._conn:is_closing() then return nil end
  error(err, 0)
end

local function message(self, opcode, data, compressed)
  if compressed then
    local codec = self._codec
    local text, code, why = in_step(self, codec.decompress, codec, data, self._max)
    if text and opcode == TEXT and not hc.utf8(text) then
      text, code, why = nil, 1007, "text that is not UTF-8"
    end
    if not text then return fail(self, code, why) end
    data = text
  end
  if self._state ~= "open" then return nil end -- after our close frame nobody wants it
  return setmetatable({ type = NAMES[opcode], data = data }, Message)
end

-- Looks at what came that is no message. It may wait.
local function control(self, opcode, data, more)
  if opcode == PING then
    send_quietly(self, PONG, data)
  elseif opcode == CLOSE then
    peer_closes(self, more, data)
  elseif opcode == 0 then
    fail(self, more, data)
  end
end

-- Looks at one thing that came; a message, if it was one. While an answer is sent this task is
-- still the one that reads.
local function handle(self, opcode, data, more)
  if opcode == TEXT or opcode == BINARY then
    if more or self._state ~= "open" then return message(self, opcode, data, more) end
    return setmetatable({ type = NAMES[opcode], data = data }, Message)
  end
  self._reading = true
  local ok, err = pcall(control, self, opcode, data, more)
  self._reading = false
  if not ok then error(err, 0) end
end

-- Waits for the next thing: true, nil at the end, false at the deadline.
local function wait_until(self, deadline)
  return feed(self._conn, self._reader, math.max(0, deadline - self._loop:time()))
end

-- The next message; nil when the connection is closed; false when the deadline has passed. The flag
-- keeps a second task out, and tells `close` whom to leave it to.
local function next_message(self, deadline)
  local conn, reader = self._conn, self._reader
  while self._state ~= "closed" do
    local ok, came
    self._reading = true
    if deadline then
      ok, came = pcall(wait_until, self, deadline)
    else
      ok, came = pcall(feed, conn, reader)
    end
    self._reading = false
    if ok and came then
      if self._heartbeat then self._heartbeat:hear() end
      local found = handle(self, take(reader))
      if found then return found end
    elseif ok and came == false then
      if self._loop:time() >= deadline then return false end
    else
      local err = not ok and end_of(self, came) or nil
      if self._state ~= "closed" then lose(self, err) end -- another task may have closed it
    end
  end
  return nil
end

local function check_reader(self, name)
  check.self(self, WebSocket, name)
  if self._reading then
    check.state("another task receives from this WebSocket already; let one task receive and hand "
      .. "the messages on, by a queue for example")
  end
end

local function receive(self, seconds, name)
  check_reader(self, name)
  check.seconds(seconds, 1, name)
  seconds = seconds or self._receive_seconds
  local deadline = seconds and self._loop:time() + seconds
  local found = next_message(self, deadline)
  if found == false then
    error(core.TimeoutError(("no message within %g s"):format(seconds)), 0)
  end
  return found
end

--- The next message; nil once the connection is closed, see `close_code` and `exception`. Pings are
--- answered meanwhile. [suspends] Raises TimeoutError; a message that is on its way is not lost.
---@param seconds? number how long to wait; unset: the option receive_timeout
---@return table|nil message
function WebSocket:receive(seconds) return receive(self, seconds, "receive") end

local function receive_type(self, kind, seconds, name)
  local found = receive(self, seconds, name)
  if found == nil then error(closed_error(self), 0) end
  if kind and found.type ~= kind then
    error(M.WebSocketError(("%s message received, %s expected"):format(found.type, kind),
      { websocket = self }), 0)
  end
  return found
end

--- The data of the next message, which must be text. [suspends] Raises WebSocketError when it is
--- not, or the connection is closed.
---@param seconds? number
---@return string
function WebSocket:receive_str(seconds)
  return receive_type(self, "text", seconds, "receive_str").data
end

--- The data of the next message, which must be binary. [suspends] Raises as receive_str.
---@param seconds? number
---@return string
function WebSocket:receive_bytes(seconds)
  return receive_type(self, "binary", seconds, "receive_bytes").data
end

--- The data of the next message, decoded from JSON. [suspends] Raises as receive_str.
---@param seconds? number
---@return any
function WebSocket:receive_json(seconds)
  return receive_type(self, nil, seconds, "receive_json"):json()
end

local function iterate(self)
  if self._reading or self._receive_seconds then return receive(self, nil, "messages") end
  return next_message(self)
end

--- All messages until the connection is closed: for msg in ws:messages() do. [suspends in the loop]
---@return function, table
function WebSocket:messages()
  check.self(self, WebSocket, "messages")
  return iterate, self
end

-- ---- closing ----

-- Somebody else receives: it will see the peer's answer.
local function wait_for_reader(self)
  self._closed_event = self._closed_event or core.Event()
  local ok, err = pcall(timeout, self._close_seconds, self._closed_event.wait, self._closed_event)
  if ok then return end
  finish(self, "abort")
  if not core.is(err, core.TimeoutError) then error(err, 0) end
end

local function close_in_turn(self)
  local ok, found = pcall(next_message, self, self._loop:time() + self._close_seconds)
  if ok and found == nil then return end
  finish(self, "abort")
  if not ok then error(found, 0) end
end

--- Closes the connection: sends a close frame and waits for the peer's, for `close_timeout` seconds
--- at most; what still comes is thrown away. May be repeated. [suspends] True when this call began
--- it.
---@param code? integer 1000, or 1001 to 1014, 3000 to 4999 as RFC 6455 has them
---@param reason? string at most 123 bytes of UTF-8
---@return boolean
function WebSocket:close(code, reason)
  check.self(self, WebSocket, "close")
  code, reason = code or 1000, reason or ""
  check.arg(math.type(code) == "integer" and hc.ws_code(code), 1, "close",
    "code that may be sent (1000, 3000 to 4999) expected, got " .. tostring(code))
  check.arg(type(reason) == "string" and #reason <= 123 and hc.utf8(reason), 2, "close",
    "reason of at most 123 bytes of UTF-8 expected")
  if self._state == "closed" then return false end
  local first = self._state == "open"
  send_close(self, code, reason)
  if self._reading then wait_for_reader(self) else close_in_turn(self) end
  return first
end

-- A peer that takes nothing more is cut off in the end.
local function close_in_time(conn, seconds)
  pcall(timeout, seconds, conn.wait_closed, conn)
  conn:abort()
end

--- Closes it without waiting: for those who are being cancelled.
function WebSocket:_leave(code)
  if self._state == "closed" then return end
  self.close_code = self.close_code or code
  if self._state == "open" then
    self._state = "closing"
    pcall(write_close, self, string.pack(">I2", code))
  end
  finish(self, "close")
  self._loop:create_task(close_in_time, self._conn, self._close_seconds)
end

--- The end of a block: `close`; after an error with code 1011, when the task is cancelled with 1001
--- and without waiting.
function WebSocket:__close(err)
  if err == nil then
    self:close()
  elseif core.is(err, core.Error) or not core.is(err, core.BaseError) then
    self:close(INTERNAL)
  else
    self:_leave(GOING_AWAY)
  end
end

--- What ended the connection other than its orderly closing: a WebSocketError with `code`, or nil.
---@return table|nil
function WebSocket:exception()
  check.self(self, WebSocket, "exception")
  return self._exception or self._state ~= "closed" and self._lost or nil
end

--- What the connection below tells, see Stream:get_extra_info.
---@param name string
---@param default? any
---@return any
function WebSocket:get_extra_info(name, default)
  check.self(self, WebSocket, "get_extra_info")
  return self._conn:get_extra_info(name, default)
end

return M
