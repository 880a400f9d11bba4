-- SPDX-License-Identifier: MIT
--
-- What plain sockets have in Lua: connecting to a host by name. The rest is in C (bind/socket.c,
-- bind/sockwait.c).

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"
local stream = require "aio.stream"

local Loop = core._Loop

local M = {}

local NAME = "sock_connect"

--- Connects a socket and waits until it is connected. A host that is a name is looked up; its first
--- address of the socket's family is taken, since a socket can be connected once. [suspends] Raises
--- OSError.
---@param sock table a socket
---@param host string|table name or address, or { host=, port= }; of a Unix socket the path
---@param port? integer|string number or name of a service
function Loop:sock_connect(sock, host, port)
  local family = core._socket_family(sock)
  check.arg(family, 1, NAME, "socket expected, got " .. type(sock))
  if family == "unix" then
    stream.check_path(host, 2, NAME)
    return self:_sock_connect(sock, host)
  end
  if type(host) == "table" then
    host, port = host.host or host[1], host.port or host[2]
  end
  address.check_host(host, 2, NAME)
  port = address.check_port(port, 3, NAME)
  self:_sock_connect(sock, address.resolve(host, port, family, false)[1])
end

return M
