-- SPDX-License-Identifier: MIT
-- What the tests of plain sockets have in common: loops, pairs, and what a call refuses.

local lu = require "luaunit"
local aio = require "aio"
local raised = require("support.tasks").raised

local sockets = {}

---The code of the OSError that fn raises.
function sockets.code_of(fn, ...) return raised(aio.OSError, fn, ...).code end

---What fn raises, as text.
function sockets.refused(fn, ...)
  local ok, err = pcall(fn, ...)
  lu.assertFalse(ok)
  return tostring(err)
end

---A case: fn(loop) in a task.
function sockets.with_loop(fn)
  return function() aio.run(function() fn(aio.get_running_loop()) end) end
end

---A case: fn(loop, a, b) in a task, with two connected sockets.
function sockets.with_pair(fn)
  return sockets.with_loop(function(loop)
    local a <close>, b = aio.socketpair()
    local _ <close> = b
    fn(loop, a, b)
  end)
end

---A port that nobody listens at just now, and that the system gives to nobody who asks for any.
function sockets.free_port()
  while true do
    local port = math.random(10000, 29999)
    local ok, srv = aio.catch(aio.OSError, aio.start_server, print, "127.0.0.1", port)
    if ok then
      srv:close()
      return port
    end
    if srv.code ~= "EADDRINUSE" then error(srv, 0) end
  end
end

---A socket of the family that listens at the address.
function sockets.listening(family, ...)
  local srv = aio.socket(family)
  srv:bind(...)
  srv:listen()
  return srv
end

---Two ends of a TCP connection.
function sockets.tcp_pair(loop)
  local srv <close> = sockets.listening("inet", "127.0.0.1", 0)
  local c = aio.socket()
  loop:sock_connect(c, srv:getsockname())
  local s = loop:sock_accept(srv)
  return c, s
end

return sockets
