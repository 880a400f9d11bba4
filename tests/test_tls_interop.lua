-- SPDX-License-Identifier: MIT
-- TLS with the openssl command as the peer: both versions, clients' certificates, ALPN, sessions.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"

if not env.has_tls() then
  return { test_without_tls = function() lu.skip("this build has no library for TLS") end }
end

local tls = require "support.tls"
local certs, with_server, connect, wait_for =
  tls.certs, tls.serving, tls.connect, tls.wait_for

local T = {}

local function command(text)
  local pipe = assert(io.popen(text))
  local out = pipe:read("a")
  pipe:close()
  return out
end

-- A folder with the certificates as files.
local function with_files(fn)
  local dir = command("mktemp -d"):gsub("\n", "")
  local _ <close> = setmetatable({}, { __close = function()
    os.execute("rm -r " .. env.quote(dir))
  end })
  for name, text in pairs(certs) do
    local file = assert(io.open(("%s/%s.pem"):format(dir, name), "w"))
    file:write(text)
    file:close()
  end
  return fn(dir)
end

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("a")
  file:close()
  return text
end

function T.test_s_client()
  for _, version in ipairs { "tls1_2", "tls1_3" } do
    with_files(function(dir)
      with_server({ client_ca = certs.ca, alpn = { "h2" } }, function(port)
        local out = dir .. "/out"
        local arguments = ("-connect 127.0.0.1:%d -%s -CAfile %s/ca.pem -verify_return_error "
          .. "-verify_hostname localhost -servername localhost -alpn x,h2 -cert %s/client.pem "
          .. "-key %s/client_key.pem"):format(port, version, dir, dir, dir)
        -- it ends when its input does: not before the folder is removed
        assert(os.execute(("{ echo hello; while [ -e %s ]; do sleep 0.1; done; } | "
          .. "timeout 60 openssl s_client %s >%s 2>&1 &"):format(dir, arguments, out)))
        wait_for(function() return read_file(out):find("HELLO client h2", 1, true) end)
        lu.assertStrContains(read_file(out), "Verify return code: 0 (ok)")
      end, function(conn)
        conn:write(conn:readline():upper():gsub("\n", ""), " ",
          conn:get_extra_info("peercert").subject.commonName, " ",
          conn:get_extra_info("alpn_protocol"), "\n")
        conn:read("a")
      end)
    end)
  end
end

-- A port that nobody listens at just now.
local function free_port()
  local srv = aio.start_server(print, "127.0.0.1", 0)
  local port = srv.port
  srv:close()
  return port
end

local function connect_when_up(port, ctx)
  local conn
  wait_for(function()
    local ok, result = aio.catch(aio.OSError, connect, port, ctx)
    if ok then conn = result end
    if not ok and result.code ~= "ECONNREFUSED" then error(result, 0) end
    return ok
  end)
  return conn
end

function T.test_s_server()
  for _, version in ipairs { "tls1_2", "tls1_3" } do
    with_files(function(dir)
      aio.run(function()
        local port = free_port()
        local pid = command(("timeout 60 openssl s_server -accept 127.0.0.1:%d -%s -rev -quiet "
          .. "-cert %s/server.pem -key %s/server_key.pem -Verify 1 -CAfile %s/ca.pem -alpn x,h2 "
          .. ">/dev/null 2>&1 & echo $!"):format(port, version, dir, dir, dir))
        local _ <close> = aio.defer(os.execute, "kill " .. pid)
        local ctx = tls.client { cert = certs.client, key = certs.client_key, alpn = { "h2" } }
        for i = 1, 2 do
          local conn <close> = connect_when_up(port, ctx)
          conn:write("hello\n")
          lu.assertEquals(conn:readline(), "olleh\n")
          lu.assertEquals(conn:get_extra_info("alpn_protocol"), "h2")
          lu.assertEquals(conn:get_extra_info("session_reused"), i == 2)
        end
      end)
    end)
  end
end

return T
