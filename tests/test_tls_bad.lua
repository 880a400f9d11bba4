-- SPDX-License-Identifier: MIT
-- TLS over a bad line: between a client and a server, both in memory, stands somebody who cuts,
-- stops, slows down or spoils the bytes at any place of the handshake and after it. Under a virtual
-- clock, so that time limits cost no time; testing.run sees whatever is left behind.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local streams = require "support.streams"
local testing = require "aio.testing"
local stream_pair = require("aio.pair").stream_pair

if not env.has_tls() then
  return { test_without_tls = function() lu.skip("this build has no library for TLS") end }
end

local tls = require "support.tls"
local certs = tls.certs
local raised = streams.raised

local T = { TestLine = {}, TestChain = {}, TestMemory = {} }

local HANDSHAKE_SECONDS = 40

-- Carries bytes from one stream to the other, and does `evil` with what has gone over when that is
-- `at` bytes, and with each part after it, of at most `step` bytes.
local function carry(from, to, at, evil, step)
  local gone = 0
  aio.catch(aio.Error, function()
    while true do
      local part = from:read(at and gone < at and at - gone or step)
      if not part then break end
      gone = gone + #part
      if at and gone >= at then part = evil(part) or part end
      to:write(part)
    end
    to:close()
  end)
end

-- Runs fn on a client and a server whose handshake has begun, with somebody in between:
-- `direction` "up" is from the client to the server. What both said comes back.
local function over_bad_line(direction, at, evil, version, step)
  local said = {}
  local client, left = stream_pair()
  local right, server = stream_pair()
  local lines = { up = { left, right }, down = { right, left } }
  local function all(method)
    for _, conn in ipairs { client, left, right, server } do conn[method](conn) end
  end
  local tasks = {}
  for name, line in pairs(lines) do
    local act = name == direction and function(part) return evil(part, all) end
    tasks[#tasks + 1] = aio.create_task(carry, line[1], line[2], act and at, act, step or 4096)
  end
  local function side(name, conn, ctx, opts)
    opts.ssl_handshake_timeout, opts.ssl_shutdown_timeout = HANDSHAKE_SECONDS, 5
    local ok, err = aio.catch(aio.Error, function()
      conn:start_tls(ctx, opts)
      local _ <close> = aio.timeout(100)
      conn:write("hello\n")
      said[name .. "_read"] = conn:readline()
    end)
    said[name] = not ok and err or nil
    conn:close()
    aio.catch(aio.OSError, conn.wait_closed, conn)
  end
  aio.gather(
    function()
      side("client", client, tls.client { max_version = version },
        { server_hostname = "localhost" })
    end,
    function() side("server", server, tls.server(), { server_side = true }) end)
  for _, task in ipairs(tasks) do task:cancel() end
  aio.wait(tasks)
  all("abort")
  return said
end

-- What a side may say: nothing, that the handshake failed or took too long, or what came after it.
local function check_error(err)
  if err == nil then return end
  lu.assertTrue(aio.is(err, aio.OSError) or aio.is(err, aio.TimeoutError), tostring(err))
  lu.assertTrue(#err.message > 10, tostring(err))
end

local function at_every_place(evil, check)
  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    for direction, last in pairs { up = 700, down = 1500 } do
      for at = 1, last, env.hostile and 197 or 41 do
        testing.run(function()
          local said = over_bad_line(direction, at, evil, version)
          check_error(said.client)
          check_error(said.server)
          if check then check(said, direction, at) end
        end, { debug = false })
      end
    end
  end
end

function T.TestLine.test_nothing_happens()
  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    testing.run(function()
      local said = over_bad_line(nil, nil, nil, version)
      lu.assertEquals(said, { client_read = "hello\n", server_read = "hello\n" })
    end)
  end
end

function T.TestLine.test_closed_at_any_moment()
  at_every_place(function(_, all) all("close") return "" end, function(said, _, at)
    if at > 1 then return end
    lu.assertStrContains(said.client.message, "TLS handshake with")
    lu.assertStrContains(said.server.message, "TLS handshake with")
  end)
end

function T.TestLine.test_aborted_at_any_moment()
  at_every_place(function(_, all) all("abort") return "" end)
end

-- Then there is no error but the time limit's, on both sides when it is early.
function T.TestLine.test_a_stop_at_any_moment()
  at_every_place(function() aio.sleep(3600) end, function(said, direction, at)
    if at > 200 then return end
    local waits = said[direction == "up" and "server" or "client"]
    lu.assertTrue(aio.is(waits, aio.TimeoutError), tostring(waits))
    lu.assertStrContains(waits.message, ("took longer than %d s"):format(HANDSHAKE_SECONDS))
  end)
end

function T.TestLine.test_a_bit_that_flips_at_any_place()
  local failed = 0
  at_every_place(function(part)
    return part:sub(1, -2) .. string.char(part:byte(-1) ~ 0x20)
  end, function(said)
    if said.client or said.server then failed = failed + 1 end
    if said.client_read then lu.assertEquals(said.client_read, "hello\n") end
    if said.server_read then lu.assertEquals(said.server_read, "hello\n") end
  end)
  lu.assertTrue(failed > 0)
end

function T.TestLine.test_rubbish_at_any_place()
  at_every_place(function() return ("\0\255\22\3\3"):rep(8000) end)
end

-- One byte a second is within each second's patience, and beyond the whole's.
function T.TestLine.test_one_byte_a_second()
  for _, direction in ipairs { "up", "down" } do
    testing.run(function()
      local began = testing.clock():now()
      local said = over_bad_line(direction, 1, function() aio.sleep(1) end, nil, 1)
      local waits = said[direction == "up" and "server" or "client"]
      lu.assertTrue(aio.is(waits, aio.TimeoutError), tostring(waits))
      lu.assertTrue(testing.clock():now() - began < HANDSHAKE_SECONDS + 20)
    end)
  end
end

-- ---- what vouches for a certificate ----

function T.TestChain.test_one_in_the_middle_is_missing()
  tls.serving({ cert = certs.leaf, key = certs.leaf_key }, function(port)
    local err = raised(aio.SSLCertVerificationError, tls.connect, port)
    lu.assertStrContains(err.message, "for 'localhost': unable to get")
    lu.assertStrContains(err.message, "certificate of 'leaf', issued by 'between'")
    tls.still_serves(port, tls.client { verify = false })
  end)
end

function T.TestChain.test_the_server_sends_it()
  tls.serving({ cert = certs.leaf .. certs.between, key = certs.leaf_key }, function(port)
    tls.still_serves(port)
  end)
end

-- What a server trusts is not what it shows.
function T.TestChain.test_only_what_stands_in_the_file_is_sent()
  tls.serving({ cert = certs.leaf, key = certs.leaf_key, ca = certs.ca .. certs.between },
    function(port)
      raised(aio.SSLCertVerificationError, tls.connect, port)
      tls.still_serves(port, tls.client { ca = certs.ca .. certs.between })
    end)
end

-- ---- memory ----

-- A peer that never reads: what is queued for it ends at the water mark.
function T.TestMemory.test_a_peer_that_never_reads()
  testing.run(function()
    tls.in_memory(function(client, peer)
      local written = 0
      local writer = aio.create_task(function()
        while true do
          client:write(("x"):rep(10000))
          written = written + 10000
        end
      end)
      testing.wait_all_blocked()
      local before = collectgarbage("count")
      testing.wait_all_blocked()
      lu.assertTrue(written < 1000000, tostring(written))
      lu.assertTrue(collectgarbage("count") - before < 100)
      writer:cancel()
      aio.wait { writer }
      lu.assertNotNil(peer)
      client:abort()
    end)
  end)
end

-- More connections than keep their record buffers, all in use in turn.
function T.TestMemory.test_many_connections_in_turn()
  local ctx, server = tls.client(), tls.server()
  testing.run(function()
    local pairs_of = {}
    for i = 1, 150 do
      local client, peer = stream_pair()
      aio.gather(function() client:start_tls(ctx, { server_hostname = "localhost" }) end,
        function() peer:start_tls(server, { server_side = true }) end)
      pairs_of[i] = { client, peer }
    end
    for round = 1, 3 do
      for i, both in ipairs(pairs_of) do
        local text = ("%d %d\n"):format(round, i)
        both[1]:write(text:sub(1, 2))
        aio.sleep(0)
        both[1]:write(text:sub(3))
        lu.assertEquals(both[2]:readline(), text)
      end
    end
    for _, both in ipairs(pairs_of) do
      both[1]:close()
      both[2]:close()
    end
  end, { debug = false })
end

return T
