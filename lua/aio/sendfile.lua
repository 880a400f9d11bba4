-- SPDX-License-Identifier: MIT
--
-- Sending files: by the kernel where it can (bind/sendfile.c), else by reading and writing.

local core = require "aio.core"
local check = require "aio.check"

local Loop = core._Loop

local M = {}

local MOST = 1 << 62

local function check_integer(value, low, n, name, what)
  local integer = math.tointeger(value)
  check.arg(type(value) == "number" and integer and integer >= low and integer <= MOST, n, name,
    ("%s expected, got %s"):format(what, tostring(value)))
  return integer
end

-- The descriptor of a file: an io file, a number, or an object with fileno(). And the io file.
local function descriptor(file, n, name)
  local kind = io.type(file)
  check.arg(kind ~= "closed file", n, name, "this file is closed")
  if kind == "file" then return core._fileno(file), file end
  if type(file) == "table" or type(file) == "userdata" then
    check.arg(type(file.fileno) == "function", n, name,
      "io file, descriptor or object with fileno() expected, got " .. type(file))
    if getmetatable(file) == core._File then file:flush() end -- what is held back is a part of it
    file = file:fileno()
    check.arg(file ~= nil, n, name, "this file is closed")
  end
  return (check_integer(file, 0, n, name, "io file, descriptor or object with fileno()"))
end

-- Opens a part of a file for sending; `n` is the place of `file` among the arguments of `name`.
local function open(file, offset, count, n, name)
  local fd, io_file = descriptor(file, n, name)
  offset = check_integer(offset or 0, 0, n + 1, name, "offset, not negative,")
  if count ~= nil then
    count = check_integer(count, 1, n + 2, name, "count of bytes, positive,")
  end
  local sending, err = core._sending(fd, io_file, offset, count)
  if sending then return sending end
  if err.code ~= "ENOTSUP" then error(err, 0) end
  error(core.SendfileNotAvailableError("sendfile: this is not a regular file; read it, and write "
    .. "what was read"), 0)
end

-- A file of aio.open keeps its position itself: to be closed when the sending has ended.
local function behind(file, offset, sending)
  if getmetatable(file) ~= core._File then return nil end
  return setmetatable({}, {
    __close = function()
      local sent = sending:sent()
      if sent > 0 and file:fileno() then file:seek("set", (offset or 0) + sent) end
    end,
  })
end

-- By the kernel, else by hand. What was taken is counted before anything can be cancelled.
local function over_stream(conn, sending)
  if core._send_file(conn, sending) then return end
  for data in sending.read, sending do
    conn:write_nowait(data)
    sending:wrote(#data)
    conn:drain()
  end
end

local function over_socket(loop, sock, sending)
  if loop:_sock_sendfile(sock, sending) then return end
  for data in sending.read, sending do loop:_sock_send_part(sock, data, sending) end
end

-- The count of bytes; an error of the system has it in `sent`.
local function finish(sending, ok, err)
  if ok then return sending:sent() end
  if core.is(err, core.OSError) then
    err.sent = sending:sent()
    if err.code == "EBADF" and err.syscall ~= "write" then
      err.message = "sendfile: this file is not open for reading"
    end
  end
  error(err, 0)
end

local function send(conn, sending)
  core._send_begin(conn, sending)
  return finish(sending, pcall(over_stream, conn, sending))
end

--- Sends a regular file, after what was written before; nobody else may write meanwhile. On Linux,
--- without TLS, the bytes go from the kernel's cache to the socket and are not copied here. The
--- position of the file is set behind what was sent, also after an error or a cancellation; the
--- stream stays open. [suspends] Raises OSError (`sent`: how many bytes went before), or
--- SendfileNotAvailableError for what is no regular file.
---@param file file*|integer|table file of aio.open or io (what was written to it is flushed),
---  descriptor, or object with fileno()
---@param offset? integer first byte, 0 when unset
---@param count? integer bytes, all to the end when unset
---@return integer sent count of bytes, less than `count` when the file ends before
function core._Stream:sendfile(file, offset, count)
  local sending <close> = open(file, offset, count, 1, "sendfile")
  local _ <close> = behind(file, offset, sending)
  return send(self, sending)
end

--- The same through a transport: meanwhile a `write` on it raises RuntimeError. [suspends] Raises
--- RuntimeError too when the transport is closed.
---@param transport table a transport, or a stream
---@param file file*|integer|table
---@param offset? integer
---@param count? integer
---@return integer sent
function Loop:sendfile(transport, file, offset, count) -- luacheck: no self
  local is_stream = getmetatable(transport) == core._Stream
  check.arg(is_stream or getmetatable(transport) == core._Transport, 1, "sendfile",
    "transport of a connection, or stream, expected, got " .. type(transport))
  local conn = is_stream and transport or core._transport_stream(transport)
  local sending <close> = open(file, offset, count, 2, "sendfile")
  local _ <close> = behind(file, offset, sending)
  if is_stream then return send(conn, sending) end
  core._transport_busy(transport, true)
  local ok, sent = pcall(send, conn, sending)
  core._transport_busy(transport, false)
  if not ok then error(sent, 0) end
  return sent
end

--- The same over a connected socket of type "stream". [suspends]
---@param sock table
---@param file file*|integer|table
---@param offset? integer
---@param count? integer
---@return integer sent
function Loop:sock_sendfile(sock, file, offset, count)
  local family, connected = core._socket_family(sock)
  check.arg(family, 1, "sock_sendfile", "socket expected, got " .. type(sock))
  check.arg(connected, 1, "sock_sendfile", "a socket of type \"stream\" expected")
  local sending <close> = open(file, offset, count, 2, "sock_sendfile")
  local _ <close> = behind(file, offset, sending)
  return finish(sending, pcall(over_socket, self, sock, sending))
end

return M
