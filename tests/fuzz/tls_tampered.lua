-- SPDX-License-Identifier: MIT
-- Two honest ends and somebody between them who changes, drops, inserts and cuts. Each end reads
-- what the other has written, or the beginning of it, and then learns that something is wrong.

local aio = require "aio"
local input = require "input"
local secure = require "secure"

-- ---- who is between ----

-- The changes: places in the bytes of one direction, in order.
local function changes(i)
  local list, at = {}, 0
  for n = 1, i:int(0, 3) do
    at = at + i:int(0, i:one_in(2) and 64 or 2000)
    list[n] = { at = at, kind = i:pick { "flip", "drop", "insert", "cut", "swap" },
      value = i:int(1, 255) }
  end
  return list
end

local tamper = {}
function tamper.flip(text, value) return string.char(text:byte(1) ~ value) .. text:sub(2) end
function tamper.drop(text, value) return text:sub(1 + value) end
function tamper.insert(text, value) return string.char(value):rep(value % 16 + 1) .. text end
function tamper.swap(text, value) return text:sub(1 + value) .. text:sub(1, value) end

-- Carries bytes from one end to the other; true when they were all as they came.
local function carry(from, to, list, done)
  local at, clean = 0, true
  while true do
    local ok, text = input.fate(from.read, from, 4096)
    if not ok or not text then break end
    local size = #text
    while list[1] and list[1].at < at + size do
      local change = table.remove(list, 1)
      clean = false
      done.tampered = true
      if change.kind == "cut" then
        to:close()
        return
      end
local n = math.max(0, change.at - at)
      text = text:sub(1, n) .. tamper[change.kind](text:sub(n + 1) .. "\0", change.value)
    end
    at = at + size
    if not input.fate(to.write, to, text) then break end
  end
  done[#done + 1] = clean
  input.fate(to.write_eof, to)
end

-- ---- the ends ----

local TEXTS = { ("from the client "):rep(60), ("from the server "):rep(60) }

-- Shakes hands, writes, reads to the end. What was read, and the error.
local function talk(conn, n, ctx, opts)
  local got = {}
  local ok, err = aio.catch(secure.TROUBLE, function()
    conn:start_tls(ctx, opts)
    conn:write(TEXTS[n])
    conn:write_eof()
    while true do
      local text = conn:read(1000)
      if not text then break end
      got[#got + 1] = text
    end
    conn:close()
    conn:wait_closed()
  end)
  if not ok then conn:abort() end
  got = table.concat(got)
  assert(TEXTS[3 - n]:sub(1, #got) == got, "what was read is not what was written")
  return ok, err, got
end

return input.target(function(i)
  local a, left = secure.pair(i)
  local right, b = secure.pair(i)
  local client, client_opts = secure.client(i)
  local server, server_opts = secure.server(i)
  client_opts.ssl_handshake_timeout, server_opts.ssl_handshake_timeout = 20, 20
  client_opts.ssl_shutdown_timeout, server_opts.ssl_shutdown_timeout = 20, 20
  local done, there, back = {}, changes(i), changes(i)
  local t1 = aio.create_task(carry, left, right, there, done)
  local t2 = aio.create_task(carry, right, left, back, done)
  -- Half a record, and then nothing: only time ends that.
  local limit = aio.create_task(function()
    aio.sleep(1000)
    done.late = true
    a:abort()
    b:abort()
  end)
  local ends = aio.gather({ function() return { talk(a, 1, client, client_opts) } end,
    function() return { talk(b, 2, server, server_opts) } end })
  limit:cancel()
  aio.catch(aio.CancelledError, limit.await, limit)
  for n, e in ipairs(ends) do
    local ok, err, got = table.unpack(e)
    if not done.tampered and client ~= secure.clients[4] then
      assert(ok and got == TEXTS[3 - n], tostring(err))
    end
    assert(not ok or done.late or got == TEXTS[3 - n],
      "the end comes too early, and without an error")
  end
  t1:cancel()
  t2:cancel()
  for _, conn in ipairs { left, right, a, b } do conn:abort() end
  aio.wait { t1, t2 }
  for _, t in ipairs { t1, t2 } do aio.catch(aio.CancelledError, t.await, t) end
end)
