-- SPDX-License-Identifier: MIT
-- TLS, as a client and as a server, whose peer sends the bytes of the input.

local aio = require "aio"
local input = require "input"
local secure = require "secure"

-- What a peer that ends may do; the last one waits for the time limit of the handshake.
local ENDS = { "close", "write_eof", "abort", "is_closing" }

local function throws_away(conn)
  while conn:read(4096) do end
end

return input.target(function(i)
  local a, b = secure.pair(i)
  local ctx, opts = secure[i:pick { "client", "server" }](i)
  opts.ssl_handshake_timeout = 10
  local how, reads = i:pick(ENDS), i:one_in(2)
  local t = aio.create_task(function()
    b:start_tls(ctx, opts)
    b:read("a")
  end)
  local reader = reads and aio.create_task(input.fate, throws_away, a)
  while not i:done() do
    if not input.fate(a.write_nowait, a, i:take(i:int(0, 700))) then break end
    if i:one_in(4) then input.turns(i:int(0, 3)) end
  end
  input.fate(a[how], a)
  local ok, err = aio.catch(secure.TROUBLE, t.await, t)
  assert(not ok, "there was no handshake")
  assert(tostring(err) ~= "", "an error without words")
  a:abort()
  if reader then reader:await() end
  b:abort()
end)
