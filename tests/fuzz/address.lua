-- SPDX-License-Identifier: MIT
-- Addresses and paths of Unix sockets from anywhere: what is taken comes back as it was.

local aio = require "aio"
local core = require "aio.core"
local address = require "aio.address"
local input = require "input"

local DIGITS = "0123456789abcdef:.%[]/-+xX \0l"
local MOST = 130 -- bytes of a path: more than any system takes
local PREFIX = "\0aio-fuzz-" .. input.process .. "-"
local FLAGS = { "numerichost", "numericserv" }

-- Mostly characters of addresses.
local function host_of(i)
  local text = i:take(i:int(0, 60))
  if i:one_in(4) then return text end
  return (text:gsub(".", function(c)
    local n = c:byte() % #DIGITS + 1
    return DIGITS:sub(n, n)
  end))
end

local function ip(i)
  local host, port = host_of(i), i:int(0, 65535)
  local a = core._numeric(host, port)
  if not a then return end
  assert(a.port == port and (a.family == "inet" or a.family == "inet6"))
  local again = core._numeric(a.host, a.port)
  assert(again and again.host == a.host and again.family == a.family, "it is not the same again")
  assert(address.format(a):find(a.host, 1, true))
  if i:one_in(16) then
    local name, service = aio.getnameinfo(a, FLAGS)
    assert(name:find("%%") or name == a.host, name)
    assert(service == tostring(port), service)
  end
end

-- What the functions of users make of anything.
local function refuses(i)
  local wrong = { host_of(i), i:pick { i:int(0, 1 << 20) - 1000, "http\0", "", "x", 1.5, false } }
  local ok, err = pcall(aio.getnameinfo, wrong)
  local text = tostring(err)
  assert(ok or aio.is(err, aio.OSError) or text:find("bad argument", 1, true), text)
end

-- An abstract name: it leaves nothing behind in a folder.
local function path(i)
  local name = PREFIX .. i:take(i:int(0, MOST))
  local ok, server = aio.catch(aio.OSError, aio.start_unix_server, function(conn)
    conn:write(conn:read(1) or "")
  end, name)
  if not ok then
    local code = server.code
    assert(code == "ENAMETOOLONG" or code == "EADDRINUSE", tostring(server))
    return
  end
  local conn = aio.open_unix_connection(name)
  assert(conn:get_extra_info("peername") == name, "another name than that of the server")
  conn:write("x")
  assert(conn:read("a") == "x")
  conn:close()
  server:close()
  server:wait_closed()
end

return input.target(function(i)
  local what = i:byte() % 16
  if what == 0 then path(i) elseif what == 1 then refuses(i) else ip(i) end
end)
