-- SPDX-License-Identifier: MIT
-- Cases that run over every kind of stream: TCP, a Unix socket, in memory, plain and in random
-- pieces, and TLS. And what their bodies have in common.

local aio = require "aio"
local env = require "support.env"
local tasks = require "support.tasks"
local stream_pair = require("aio.pair").stream_pair

local streams = {
  raised = tasks.raised, turns = tasks.turns, polled = tasks.polled, settled = tasks.settled,
}

streams.HIGH = 65536 -- water mark and limit by default
streams.BIG = 8 * 1024 * 1024 -- more than the kernel takes from a writer whose peer does not read

---Calls fn(client, peer), the two ends of a TCP connection, in the running task.
function streams.over_tcp(fn, opts)
  local accepted = aio.Future()
  local srv <close> = aio.start_server(function(conn)
    accepted:set_result(conn:detach())
  end, "127.0.0.1", 0, opts)
  local client <close> = aio.open_connection("127.0.0.1", srv.port, opts)
  local peer <close> = accepted:await()
  fn(client, peer)
end

function streams.over_unix(fn, opts)
  local path = os.tmpname()
  os.remove(path)
  local accepted = aio.Future()
  local _ <close> = aio.start_unix_server(function(conn)
    accepted:set_result(conn:detach())
  end, path, opts)
  local client <close> = aio.open_unix_connection(path, opts)
  local peer <close> = accepted:await()
  fn(client, peer)
end

local function over_memory(fn, opts, seed)
  local set = { limit = opts and opts.limit, chunk = seed and 700, seed = seed }
  local client, peer <close> = stream_pair(set)
  local _ <close> = client
  fn(client, peer)
end

---Groups of cases, and a function case(name, body, opts) that adds one to each of them;
---`body(client, peer)` runs in a task, `opts` are those of the streams.
function streams.kinds()
  local T = { TestTcp = {}, TestUnix = {}, TestMemory = {}, TestPieces = {} }
  local tls = env.has_tls() and require "support.tls"
  if tls then T.TestTls, T.TestTlsPieces = {}, {} end
  return T, function(name, body, opts)
    name = "test_" .. name
    T.TestTcp[name] = function() aio.run(streams.over_tcp, body, opts) end
    T.TestUnix[name] = function() aio.run(streams.over_unix, body, opts) end
    T.TestMemory[name] = function() aio.run(over_memory, body, opts) end
    T.TestPieces[name] = function() aio.run(over_memory, body, opts, 7) end
    if not tls then return end
    T.TestTls[name] = function() aio.run(tls.over, body, opts) end
    T.TestTlsPieces[name] = function()
      aio.run(tls.in_memory, body, { limit = opts and opts.limit, chunk = 700, seed = 7 })
    end
  end
end

---A handler that sends back what comes.
function streams.echo(conn)
  for part in conn:lines(65536) do conn:write(part) end
end

return streams
