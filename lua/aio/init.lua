-- SPDX-License-Identifier: MIT
--
-- aio: asyncio for Lua. This file only puts the parts together; each is a file of its own, and the
-- C module aio.core below them holds loop, tasks, futures, synchronisation and streams.

local core = require "aio.core"

-- Errors are blamed on the nearest line that is not in this folder.
local source = debug.getinfo(1, "S").source
core._set_prefix(source:match "^@builtin/" and "@builtin/aio/" or (source:gsub("init%.lua$", "")))

local aio = { _VERSION = "aio 0.1.0" }

-- The public part of the C module.
for name, value in pairs(core) do
  if name:sub(1, 1) ~= "_" and name ~= "stats" then aio[name] = value end
end

local parts = {
  address = { "getaddrinfo", "getnameinfo" },
  barrier = { "Barrier" },
  condition = {},
  context = { "ContextVar", "copy_context" },
  datagram = { "open_datagram" },
  file = { "open" },
  fds = { "listen_fds", "set_inheritable", "close_fd" },
  generator = { "generator" },
  job = { "await", "async", "ensure_future", "wrap_future", "shield" },
  errors = { "catch_group" },
  executor = { "Executor", "to_thread", "run_coroutine_threadsafe" },
  factory = { "Task", "create_task_with", "eager_task_factory", "create_eager_task_factory" },
  inspect = { "capture_call_graph", "format_call_graph", "print_call_graph", "traceback" },
  gather = { "gather", "gather_future" },
  many = { "race", "map" },
  pipeline = { "pipeline" },
  priority = {},
  process = {
    "create_subprocess_exec", "create_subprocess_shell", "PIPE", "STDOUT", "DEVNULL",
  },
  runner = { "run", "run_with", "main", "Runner" },
  scope = { "defer", "ExitStack" },
  sendfile = {},
  server = { "start_server", "start_unix_server" },
  process_transport = {},
  signal = { "signals" },
  socket = {},
  stdio = { "connect_pipe", "stdin", "stdout", "stderr" },
  stream = { "open_connection", "open_unix_connection", "ssl_context" },
  taskgroup = { "TaskGroup" },
  timeout = { "timeout", "timeout_at", "wait_for" },
  transport = {},
  wait = { "wait", "as_completed", "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED" },
}

for part, names in pairs(parts) do
  local module = require("aio." .. part)
  for _, name in ipairs(names) do aio[name] = module[name] end
end

aio.fs = require "aio.fs"

-- Lua finds the name of a function that was called through pcall in the loaded modules; what it
-- finds shall be the public one.
package.loaded["aio.core"] = setmetatable({}, { __index = core, __newindex = core })

return aio
