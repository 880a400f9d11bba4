-- SPDX-License-Identifier: MIT
-- Contexts for the targets over TLS, made once, and the handshake of both ends of a pair.

local aio = require "aio"
local stream_pair = require("aio.pair").stream_pair
local identity = require "identity"

local FOREVER = 1e9 -- seconds: nothing ends because of the time

local function context(opts)
  for name, value in pairs(identity) do opts[name] = opts[name] or value end
  return aio.ssl_context(opts)
end

local M = {}

M.servers = {
  context {}, context { max_version = "TLSv1.2" }, context { client_ca = identity.cert },
  context { client_ca = identity.cert, verify = "optional", alpn = { "b", "a" } },
}
M.servers[5] = context { sni = function(name)
  return name == "localhost" and M.servers[2] or nil
end }

M.clients = {
  context { ca = identity.cert }, context { ca = identity.cert, max_version = "TLSv1.2" },
  context { ca = identity.cert, alpn = { "a" }, session_cache = false },
  aio.ssl_context { verify = false },
}

---Two ends of a pair that the input describes, and how many bytes come in some tens of pieces.
function M.pair(i)
  local capacity = i:int(64, 8192)
  local chunk = i:int(64, i:one_in(4) and 20000 or 1000)
  local a, b = stream_pair {
    limit = i:int(64, 4096), capacity = capacity, chunk = chunk,
    seed = i:one_in(2) and i:int(0, 255) or nil,
  }
  return a, b, 40 * math.min(capacity, chunk)
end

local function options(base, i)
  base.ssl_handshake_timeout = i:one_in(2) and 10 or FOREVER
  base.ssl_shutdown_timeout = FOREVER
  return base
end

---@return table context, table opts  for start_tls of a client that the input describes
function M.client(i)
  return i:pick(M.clients), options({ server_hostname = "localhost" }, i)
end

---@return table context, table opts  the same of a server
function M.server(i)
  return i:pick(M.servers), options({ server_side = true }, i)
end

---The errors that a peer may bring about.
M.TROUBLE = { aio.OSError, aio.TimeoutError }

return M
