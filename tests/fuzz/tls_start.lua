-- SPDX-License-Identifier: MIT
-- The beginning of TLS at any moment of a stream's life, with bytes before it, and a close, an
-- abort or a cancel in the middle. When both ends come through, they understand each other.

local aio = require "aio"
local input = require "input"
local machine = require "machine"
local secure = require "secure"

local START = { aio.OSError, aio.TimeoutError, aio.RuntimeError, aio.CancelledError,
  aio.LimitOverrunError }

-- One end: bytes in the clear, and the handshake when `turns` have gone.
local function starts(conn, ctx, opts, turns, clear)
  return aio.create_task(function()
    if clear then conn:write("STARTTLS\n") end
    input.turns(turns)
    if clear then conn:readline() end
    conn:start_tls(ctx, opts)
  end)
end

local disturbances = {}
function disturbances.close(conn) conn:close() end
function disturbances.abort(conn) conn:abort() end
function disturbances.write_eof(conn) input.fate(conn.write_eof, conn) end
function disturbances.write(conn) input.fate(conn.write_nowait, conn, "\22\3\1\0\5hello") end
function disturbances.read(conn)
  aio.create_task(input.fate, conn.read, conn, 5):set_name("disturbing reader")
end
function disturbances.cancel(_, t) t:cancel() end
function disturbances.wait(_, _, i) aio.sleep(i:int(0, 30)) end
function disturbances.turns(_, _, i) input.turns(i:int(1, 4)) end
function disturbances.again(conn, _, i) aio.catch(START, conn.start_tls, conn, secure.client(i)) end

local NAMES = { "turns", "close", "turns", "abort", "wait", "write_eof", "turns", "write", "cancel",
  "turns", "read", "again" }

return input.target(function(i)
  local a, b, most = secure.pair(i)
  local clear = i:one_in(2)
  local client, client_opts = secure.client(i)
  local server, server_opts = secure.server(i)
  local tasks = { starts(a, client, client_opts, i:int(0, 5), clear),
    starts(b, server, server_opts, i:int(0, 5), clear) }
  local honest = true
  for _ = 1, i:int(0, 6) do
    local which, name = i:int(1, 2), i:pick(NAMES)
    honest = honest and (name == "turns" or name == "wait")
    disturbances[name](which == 1 and a or b, tasks[which], i)
  end
  local started = 0
  for n, t in ipairs(tasks) do
    if not honest and not t:done() then -- nobody may be left to talk to
      input.turns(200)
      if not t:done() then t:cancel() end
    end
    local ok, err = aio.catch(START, t.await, t)
    if ok then started = started + 1 end
    assert(ok or not honest or client == secure.clients[4] or aio.is(err, aio.TimeoutError)
      or n == 2, tostring(err))
  end
  if honest and started == 2 then
    machine.run(i, a, b, most)
  end
  a:abort()
  b:abort()
end)
