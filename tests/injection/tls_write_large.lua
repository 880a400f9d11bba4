-- SPDX-License-Identifier: MIT
-- Memory fails while much is written over TLS in memory, and in TLS inside it.
local aio = require "aio"
local certs = dofile((arg[0]:gsub("[^/\\]*$", "../support/certs.lua")))
local stream_pair = require("aio.pair").stream_pair

aio.run(function()
  local server = aio.ssl_context { cert = certs.server, key = certs.server_key }
  local client = aio.ssl_context { ca = certs.ca }
  local a, b <close> = stream_pair()
  local _ <close> = a
  for _ = 1, 2 do
    aio.gather(function() a:start_tls(client, { server_hostname = "localhost" }) end,
      function() b:start_tls(server, { server_side = true }) end)
  end
  local big = ("x"):rep(200000)
  local writer = aio.create_task(a.write, a, big)
  assert(b:readexactly(#big) == big)
  writer:await()
end)
