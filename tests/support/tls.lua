-- SPDX-License-Identifier: MIT
-- What the tests of TLS have in common: contexts from the certificates of support/certs.lua, a
-- connection over loopback, one in memory, and a server.

local lu = require "luaunit"
local aio = require "aio"
local certs = require "support.certs"
local stream_pair = require("aio.pair").stream_pair

local tls = { certs = certs }

local function with(base, opts)
  for key, value in pairs(opts or {}) do base[key] = value end
  return base
end

---A server's context; `opts` replace its options.
function tls.server(opts)
  return aio.ssl_context(with({ cert = certs.server, key = certs.server_key }, opts))
end

---A client's context that trusts the test authority.
function tls.client(opts) return aio.ssl_context(with({ ca = certs.ca }, opts)) end

---Calls fn(client, peer), the two ends of a connection with TLS, in the running task.
---@param opts? table server, client: contexts; and the options of both streams
function tls.over(fn, opts)
  opts = opts or {}
  local accepted = aio.Future()
  local srv <close> = aio.start_server(function(conn)
    accepted:set_result(conn:detach())
  end, "127.0.0.1", 0, { ssl = opts.server or tls.server(), limit = opts.limit })
  local client <close> = aio.open_connection("127.0.0.1", srv.port,
    { ssl = opts.client or tls.client(), limit = opts.limit, server_hostname = "localhost" })
  local peer <close> = accepted:await()
  fn(client, peer)
end

---The same over streams in memory, with the options of stream_pair.
function tls.in_memory(fn, opts)
  local client, peer <close> = stream_pair(opts)
  local _ <close> = client
  aio.gather(function() client:start_tls(tls.client(), { server_hostname = "localhost" }) end,
    function() peer:start_tls(tls.server(), { server_side = true }) end)
  fn(client, peer)
end

-- Runs fn(port, reports) beside a server with TLS whose connections run `handler`; reports gets
-- what the exception handler was told. `opts` are those of its context, the time limits, and `run`
-- in place of aio.run.
function tls.serving(opts, fn, handler)
  local own = {}
  for key, value in pairs(opts) do own[key] = value end
  local set = {}
  for _, name in ipairs { "ssl_handshake_timeout", "ssl_shutdown_timeout" } do
    set[name], own[name] = own[name], nil
  end
  local run = own.run or aio.run
  own.run = nil
  run(function()
    local reports = {}
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      reports[#reports + 1] = ctx
    end)
    set.ssl = tls.server(own)
    local srv = aio.start_server(handler or function(conn)
      for line in conn:lines("L") do conn:write(line) end
    end, "127.0.0.1", 0, set)
    local _ <close> = aio.defer(function()
      srv:close()
      srv:abort_clients()
      srv:wait_closed()
    end)
    fn(srv.port, reports)
  end)
end

function tls.connect(port, ctx, name)
  return aio.open_connection("127.0.0.1", port,
    { ssl = ctx or tls.client(), server_hostname = name or "localhost", timeout = 60 })
end

function tls.echo(conn)
  conn:write("ping\n")
  lu.assertEquals(conn:readline(), "ping\n")
end

-- A new connection works, whatever came before.
function tls.still_serves(port, ctx)
  local conn <close> = tls.connect(port, ctx)
  tls.echo(conn)
end

function tls.wait_for(condition)
  local _ <close> = aio.timeout(60)
  while not condition() do aio.sleep(0.002) end
end

return tls
