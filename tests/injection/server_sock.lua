-- SPDX-License-Identifier: MIT
-- Memory fails while a server takes a bound socket over: after any error it is still the caller's,
-- and open; after none it is the server's.
local aio = require "aio"
local env = require "support.env"

local is_open = env.host.is_open

local function serve(conn) conn:write "hello" end

local function visit(port)
  local client <close> = aio.open_connection("127.0.0.1", port)
  local heard = client:read("a")
  assert(heard == nil or heard == "" or heard == "hello")
end

aio.run(function()
  local sock <close> = aio.socket()
  local opts, number = { sock = sock }, { sock = 0, start_serving = false }
  sock:bind("127.0.0.1", 0)
  local fd = sock:fileno()
  local ok, srv = pcall(aio.start_server, serve, opts)
  if ok == (sock:fileno() ~= nil) or not is_open(fd) then error("whose is the socket?", 0) end
  if not ok then error(srv, 0) end
  local _ <close> = srv
  visit(srv.port)

  local other <close> = aio.socket()
  other:bind("127.0.0.1", 0)
  fd = other:fileno()
  number.sock = fd
  ok, srv = pcall(aio.start_server, serve, number)
  if not is_open(fd) then error("the descriptor is lost", 0) end
  if not ok then error(srv, 0) end
  other:detach() -- it is the server's
  local second <close> = srv
  second:start_serving()
  visit(second.port)
end)
