-- SPDX-License-Identifier: MIT
-- Two ends of a Unix socket: see machine.lua. The kernel's buffers are between them here.

local aio = require "aio"
local input = require "input"
local machine = require "machine"

local NAME = "\0aio-fuzz-socket-" .. input.process
local MOST = 1 << 15

return input.target(function(i)
  local limit = { limit = i:int(1, 8192) }
  local accepted = aio.Future()
  local server = aio.start_unix_server(function(conn) accepted:set_result(conn:detach()) end, NAME,
    limit)
  local a = aio.open_unix_connection(NAME, limit)
  local b = accepted:await()
  server:close()
  machine.run(i, a, b, i:one_in(4) and 1 << 17 or MOST)
  server:wait_closed()
end)
