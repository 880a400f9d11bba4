-- SPDX-License-Identifier: MIT
--
-- Subprocesses for protocols: subprocess_exec and subprocess_shell of a loop. The process and its
-- pipes are those of aio.process; each pipe gets a transport.

local core = require "aio.core"
local check = require "aio.check"
local process = require "aio.process"
local transport = require "aio.transport"

local M = {}
local Loop = core._Loop

local NAMES = { [0] = "stdin", "stdout", "stderr" }

--- The transport of a process: what its protocol gets in connection_made.
local SubprocessTransport = {}
SubprocessTransport.__index = SubprocessTransport
SubprocessTransport.__name = "SubprocessTransport"
M.SubprocessTransport = SubprocessTransport

-- Calls a method of the protocol, if it has it, as a callback of the loop.
local function call(self, method, ...)
  local fn = self._protocol[method]
  if fn then self._loop:call_soon(fn, self._protocol, ...) end
end

-- Once, when the process has ended and all pipes are closed.
local function finish(self)
  if self._finished or self._open > 0 or not self._exited then return end
  self._finished = true
  call(self, "connection_lost", nil)
end

-- What the transport of pipe `fd` tells goes to the protocol of the process.
local function pipe_protocol(self, fd)
  return {
    data_received = function(_, data)
      local received = self._protocol.pipe_data_received
      if received then received(self._protocol, fd, data) end
    end,
    pause_writing = function()
      if self._protocol.pause_writing then self._protocol:pause_writing() end
    end,
    resume_writing = function()
      if self._protocol.resume_writing then self._protocol:resume_writing() end
    end,
    connection_lost = function(_, err)
      self._open = self._open - 1
      call(self, "pipe_connection_lost", fd, err)
      finish(self)
    end,
  }
end

local function watch(self)
  self._process:wait()
  self._exited = true
  -- There nothing else tells that nobody reads the program's input any more.
  if process.WINDOWS and self._pipes[0] then self._pipes[0]:close() end
  call(self, "process_exited")
  finish(self)
end

local function open_pipes(self)
  for fd, name in pairs(NAMES) do
    local conn = self._process[name]
    if conn then
      self._pipes[fd] = core._transport(conn, pipe_protocol(self, fd))
      self._open = self._open + 1
    end
  end
end

-- Starts the process of a protocol; returns both after connection_made. A process whose protocol
-- cannot be told of it is killed.
local function begin(loop, protocol, spec, opts)
  local self = setmetatable({
    _loop = loop, _protocol = protocol, _pipes = {}, _open = 0, _exited = false, _closed = false,
  }, SubprocessTransport)
  local p = process.start(spec, opts)
  self._process = p
  local ok, err = pcall(function()
    open_pipes(self)
    call(self, "connection_made", self)
    loop:create_task(watch, self)
    core.sleep(0)
    core.sleep(0)
  end)
  if ok then return self, protocol end
  self:close()
  error(err, 0)
end

-- asyncio's default: pipes. What this process has itself is given by its number, or io.stdin...
local function with_pipes(opts, n, name)
  check.arg(opts == nil or type(opts) == "table", n, name, "table of options expected")
  local set = {}
  for key, value in pairs(opts or {}) do set[key] = value end
  for _, stdio in pairs(NAMES) do
    if set[stdio] == nil then set[stdio] = process.PIPE end
  end
  return set
end

--- Starts a program for a protocol. Returns after its connection_made. [suspends] Raises OSError.
---@param factory fun(): table makes the protocol
---@param program string
---@param ... string|table its arguments, then perhaps a table of options, those of
---  create_subprocess_exec; stdin, stdout and stderr are pipes when they are not given
---@return table transport
---@return table protocol
function Loop:subprocess_exec(factory, program, ...)
  local name = "subprocess_exec"
  transport.check(self, factory, name)
  local words, n, opts = process.words(name, 1, program, ...)
  local spec, checked = process.spec(words, with_pipes(opts, n + 2, name), n + 2, name)
  return begin(self, transport.protocol(factory), spec, checked)
end

--- Starts a command line of the shell for a protocol. [suspends] Raises OSError.
---@param factory fun(): table
---@param cmd string
---@param opts? table as of subprocess_exec
---@return table transport
---@return table protocol
function Loop:subprocess_shell(factory, cmd, opts)
  local name = "subprocess_shell"
  transport.check(self, factory, name)
  local words = process.shell_words(cmd, 2, name)
  local spec, checked = process.spec(words, with_pipes(opts, 3, name), 3, name)
  spec.verbatim = process.WINDOWS
  return begin(self, transport.protocol(factory), spec, checked)
end

--- The number of the process.
---@return integer
function SubprocessTransport:get_pid() return self._process.pid end

--- Its exit code, minus the signal that ended it, or nil while it runs.
---@return integer|nil
function SubprocessTransport:get_returncode() return self._process.returncode end

--- The transport of the pipe that is the program's descriptor `fd`, or nil.
---@param fd integer 0 to 2
---@return table|nil
function SubprocessTransport:get_pipe_transport(fd) return self._pipes[fd] end

--- Sends a signal. Raises OSError ESRCH when the process has ended.
---@param sig string|integer
function SubprocessTransport:send_signal(sig) self._process:send_signal(sig) end

--- Sends SIGTERM. Raises OSError ESRCH.
function SubprocessTransport:terminate() self._process:terminate() end

--- Sends SIGKILL. Raises OSError ESRCH.
function SubprocessTransport:kill() self._process:kill() end

--- Closes the pipes, and kills the process if it runs. May be repeated. connection_lost follows.
function SubprocessTransport:close()
  self._closed = true
  if not self._process.returncode then
    core.catch(core.OSError, self._process.kill, self._process)
  end
  for _, pipe in pairs(self._pipes) do pipe:close() end
end

--- Was it closed, or is everything over?
---@return boolean
function SubprocessTransport:is_closing() return self._closed or self._finished or false end

--- The protocol.
---@return table
function SubprocessTransport:get_protocol() return self._protocol end

--- Another protocol takes over.
---@param protocol table
function SubprocessTransport:set_protocol(protocol) self._protocol = protocol end

--- "subprocess": the process object; else `default`.
---@param name string
---@param default? any
---@return any
function SubprocessTransport:get_extra_info(name, default)
  if name == "subprocess" then return self._process end
  return default
end

return M
