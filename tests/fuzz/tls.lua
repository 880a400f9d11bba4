-- SPDX-License-Identifier: MIT
-- Two honest ends with TLS: see machine.lua.

local aio = require "aio"
local input = require "input"
local machine = require "machine"
local secure = require "secure"

local function shake_hands(conn, ctx, opts) conn:start_tls(ctx, opts) end

return input.target(function(i)
  local a, b, most = secure.pair(i)
  local client, client_opts = secure.client(i)
  local server, server_opts = secure.server(i)
  client_opts.ssl_handshake_timeout, server_opts.ssl_handshake_timeout = nil, nil
  local ok, err = aio.catch(aio.OSError, aio.gather,
    function() shake_hands(a, client, client_opts) end,
    function() shake_hands(b, server, server_opts) end)
  if ok then
    machine.run(i, a, b, most)
  else
    -- Without a certificate, or with one of the wrong kind, a client may be refused.
    assert(client == secure.clients[4], tostring(err))
    a:abort()
    b:abort()
  end
end)
