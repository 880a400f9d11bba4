-- SPDX-License-Identifier: MIT
-- What every attack needs: connections, and an end to its patience.

local aio = require "aio"

local peer = { HOST = "127.0.0.1" }

function peer.connect(port) return aio.open_connection(peer.HOST, port, { timeout = 30 }) end

---At most `seconds` of fn.
function peer.briefly(seconds, fn, ...)
  aio.catch(aio.TimeoutError, aio.timeout, seconds, fn, ...)
end

function peer.read_on(conn)
  while conn:read(65536) do end
end

---Calls fn(conns) with so many connections, which are aborted at its end.
function peer.with_many(n, port, fn)
  local conns = {}
  local _ <close> = aio.defer(function()
    for _, conn in ipairs(conns) do conn:abort() end
  end)
  for k = 1, n do conns[k] = peer.connect(port) end
  fn(conns)
end

return peer
