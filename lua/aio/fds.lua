-- SPDX-License-Identifier: MIT
--
-- Descriptors that are handed on: over a Unix socket (the other half is in bind/local.c), or by the
-- process that started this one, as systemd does.

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local MOST = 253 -- descriptors in one message, by the kernel
local FIRST = 3 -- of the descriptors that a service manager hands over

--- The descriptor of a number, an io file or an object with fileno(); raises for argument `n`.
---@return integer
function M.number(x, n, name)
  local fd = x
  if io.type(x) then
    fd = core._fileno(x)
  elseif type(x) ~= "number" then
    local ok, fileno = pcall(function() return x.fileno end)
    check.arg(ok and check.callable(fileno), n, name,
      "a descriptor (a number), a file or an object with fileno() expected, got " .. type(x))
    fd = fileno(x)
  end
  check.arg(math.type(fd) == "integer" and fd >= 0 and fd < 2 ^ 31, n, name,
    ("%s is no descriptor, or is closed"):format(tostring(x)))
  return fd
end

--- Checks the option `fds`; 0 when it is not given.
function M.check_option(value, n, name)
  if value == nil then return 0 end
  local count = math.tointeger(value)
  check.arg(count and count > 0 and count <= 2 ^ 16, n, name,
    "option 'fds': a positive number of descriptors expected, got " .. tostring(value))
  return count
end

--- Lets a stream keep received descriptors, `count` at most; one that cannot is aborted.
---@return table conn
function M.keep(conn, count)
  if count == 0 then return conn end
  local ok, err = pcall(core._keep_fds, conn, count)
  if ok then return conn end
  conn:abort()
  error(err, 0)
end

--- Sends data and, beside its first byte, copies of descriptors to the process at the other end of
--- a Unix socket; it gets them by recv_fds. They stay open here. As Python's socket.send_fds.
--- [suspends] while earlier data waits to be sent; a task that is cancelled then has sent nothing.
--- Raises OSError (EBADF: one of them is not open).
---@param data string not empty
---@param fds table a list of numbers, files or objects with fileno(), 1 to 253
function core._Stream:send_fds(data, fds)
  check.arg(type(data) == "string" and data ~= "", 1, "send_fds",
    "a string that is not empty expected: descriptors go beside a byte")
  local n = type(fds) == "table" and #fds or 0
  check.arg(n > 0 and n <= MOST, 2, "send_fds", "a list of 1 to 253 descriptors expected")
  local numbers = {}
  for i = 1, n do numbers[i] = M.number(fds[i], 2, "send_fds") end
  local sent = core._send_fds(self, data, numbers)
  if sent < #data then self:write(data:sub(sent + 1)) end
end

--- The sockets that the process that started this one has opened for it: descriptors for
--- `start_server(fn, {sock = fd})`, and their names. Reads LISTEN_PID, LISTEN_FDS and
--- LISTEN_FDNAMES as sd_listen_fds does, and removes them, so that children do not take them for
--- theirs and a second call gives none. Raises OSError when they make no sense.
---@return integer[] fds empty when there are none for this process
---@return string[] names "unknown" where there is no name
function M.listen_fds()
  local pid, count = os.getenv "LISTEN_PID", os.getenv "LISTEN_FDS"
  local names = os.getenv "LISTEN_FDNAMES"
  for _, name in ipairs { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" } do core._unsetenv(name) end
  if not pid or not count or math.tointeger(tonumber(pid)) ~= core._pid() then return {}, {} end
  local n = math.tointeger(tonumber(count))
  if not n or n < 0 or n > 2 ^ 16 then
    error(core.OSError(("LISTEN_FDS is '%s'; a number of descriptors expected"):format(count),
      { code = "EINVAL" }), 0)
  end
  local fds, called = {}, {}
  local next_name = (names or ""):gmatch "([^:]*):?"
  for i = 1, n do
    fds[i] = FIRST + i - 1
    local name = next_name()
    called[i] = name and name ~= "" and name or "unknown"
    local ok, err = pcall(core._set_inheritable, fds[i], false)
    if not ok then
      if core.is(err, core.OSError) then
        err.message = ("LISTEN_FDS is '%s', but descriptor %d: %s"):format(count, fds[i],
          err.message)
      end
      error(err, 0)
    end
  end
  return fds, called
end

--- Whether a program that is started from here inherits the descriptor under its number. aio's own
--- are never inherited unless this is called. As Python's os.set_inheritable. Raises OSError.
---@param fd any a number, a file, or an object with fileno()
---@param inheritable boolean
function M.set_inheritable(fd, inheritable)
  check.arg(type(inheritable) == "boolean", 2, "set_inheritable", "true or false expected")
  core._set_inheritable(M.number(fd, 1, "set_inheritable"), inheritable)
end

--- Closes a descriptor that nobody else closes: one of recv_fds that is not wanted. As Python's
--- os.close. Raises OSError (EBADF: it is not open).
---@param fd integer
function M.close_fd(fd)
  if math.type(fd) ~= "integer" or fd < 0 or fd >= 2 ^ 31 then
    check.argerror(1, "close_fd", "a descriptor (a number) expected, got " .. tostring(fd))
  end
  core._close_fd(fd) -- needs no memory: it may stand in a cleanup
end

return M
