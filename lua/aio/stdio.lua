-- SPDX-License-Identifier: MIT
--
-- Streams over descriptors that exist already: the process's own three, pipes, FIFOs, terminals,
-- files. What a stream over them does is in C (bind/pipe.c).

local core = require "aio.core"
local check = require "aio.check"
local fds = require "aio.fds"
local stream = require "aio.stream"

local M = {}

local STD = { [0] = "stdin", "stdout", "stderr" }

-- The descriptor of argument `n` of function `name`, and whether the stream shall own it.
local function descriptor(x, n, name)
  if type(x) == "number" then
    local fd = math.tointeger(x)
    check.arg(fd and fd >= 0 and fd < 2 ^ 31, n, name,
      "a descriptor, 0 or above, expected, got " .. tostring(x))
    return fd, not STD[fd]
  end
  if io.type(x) then
    local fd = core._fileno(x)
    check.arg(fd, n, name, "an open file expected, got a closed one")
    pcall(x.flush, x) -- what was written to the file goes before what is written to the stream
    return fd, false
  end
  local ok, fileno = pcall(function() return x.fileno end)
  check.arg(ok and check.callable(fileno), n, name,
    "a descriptor (a number), a file or an object with fileno() expected, got " .. type(x))
  local fd = fileno(x)
  check.arg(math.type(fd) == "integer" and fd >= 0 and fd < 2 ^ 31, n, name,
    "fileno() of this object gave " .. tostring(fd) .. ", which is no descriptor; is it closed?")
  return fd, false
end

local function connect(fd, own, use, limit, what)
  local conn, err = core._connect_pipe(fd, own, use, limit)
  if conn then return conn end
  err.message = ("cannot connect to %s: %s"):format(what, err.message)
  error(err, 0)
end

--- A stream over the descriptor that argument `n` of function `name` stands for.
---@param use string|nil "r", "w"; nil: all that it was opened for
---@param limit integer
---@return table stream
function M.open(fd, use, limit, n, name)
  local number, own = descriptor(fd, n, name)
  return connect(number, own, use, limit, "descriptor " .. number)
end

local OPTIONS = { limit = "number", fds = "number" }

--- Makes a stream of a descriptor: a pipe, a FIFO, a terminal, a connected socket, a device or a
--- file. A number above 2 is taken over, so that closing the stream closes it. Files and objects,
--- and the numbers 0 to 2, keep their descriptor: the stream works on a duplicate, and reads only
--- while somebody waits for bytes. As asyncio's connect_read_pipe and connect_write_pipe in one.
--- Raises OSError (EBADF: it is not open; then a number is still the caller's).
---@param fd integer|table|userdata a descriptor, an io file, or an object with a method fileno
---@param opts? table limit (65536 bytes in a line), fds (of a Unix socket: so many received
---  descriptors may wait for recv_fds)
---@return table stream
function M.connect_pipe(fd, opts)
  opts = check.options(opts, OPTIONS, 2, "connect_pipe")
  local limit = stream.check_limit(opts.limit, 2, "connect_pipe")
  local keep = fds.check_option(opts.fds, 2, "connect_pipe")
  return fds.keep(M.open(fd, nil, limit, 1, "connect_pipe"), keep)
end

-- One stream for each of the three and each loop, so that nobody loses what another one has read.
local function standard(fd, use)
  local fields = core.get_running_loop():_fields()
  local streams = fields.stdio
  if not streams then
    streams = {}
    fields.stdio = streams
  end
  local conn = streams[fd]
  if conn and not conn:is_closing() then return conn end
  conn = connect(fd, false, use, stream.check_limit(), STD[fd])
  conn:set_limits { high = 0 }
  streams[fd] = conn
  return conn
end

--- The process's input as a stream, the same one at each call. Closing it leaves descriptor 0
--- open. Raises OSError (EBADF: the process was started without).
---@return table stream
function M.stdin() return standard(0, "r") end

--- The process's output as a stream, the same one at each call. A `write` has given everything to
--- the system when it returns, so `print` and `io.write` (when flushed) work beside it, in order;
--- what `write_nowait` has left is written before `run` ends. Closing it leaves descriptor 1 open.
--- Raises OSError.
---@return table stream
function M.stdout()
  io.stdout:flush()
  return standard(1, "w")
end

--- The process's error output as a stream, as stdout.
---@return table stream
function M.stderr() return standard(2, "w") end

-- Writes out what the standard streams of a loop still have to send. [suspends] A reader who has
-- gone away wants nothing more.
function M.finish(loop)
  local streams = loop:_fields().stdio or {}
  for fd = 0, 2 do
    local conn = streams[fd]
    if conn then
      conn:close()
      local ok, err = pcall(conn.wait_closed, conn)
      if not ok and not (core.is(err, core.OSError) and err.code == "EPIPE") then
        loop:call_exception_handler {
          message = ("not all of %s could be written"):format(STD[fd]), exception = err,
          conn = conn,
        }
      end
    end
  end
end

return M
