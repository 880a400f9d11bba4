-- SPDX-License-Identifier: MIT
-- Datagram endpoints over Unix sockets: paths, files, and senders that have to wait.

local lu = require "luaunit"
local aio = require "aio"
local datagrams = require "support.datagrams"
local streams = require "support.streams"

local raised = streams.raised

local FLOOD = 2000 -- more datagrams than the system and any queue here hold
local UV = datagrams.over_uv()

local T = {}

-- Calls fn(server, client, path), both bound.
local function with_unix(fn, opts)
  lu.skipIf(UV, "this system has no Unix datagram sockets")
  local path = os.tmpname()
  os.remove(path)
  aio.run(function()
    opts = opts or {}
    opts.local_addr = path
    local server <close> = aio.open_datagram(opts)
    local client <close> = aio.open_datagram { local_addr = path .. ".client", remote_addr = path }
    fn(server, client, path)
  end)
  lu.assertNil(io.open(path)) -- closing removes the file
  lu.assertNil(io.open(path .. ".client"))
end

function T.test_there_and_back()
  with_unix(function(server, client, path)
    client:send("hello")
    local data, from = server:recv()
    lu.assertEquals({ data, from }, { "hello", path .. ".client" })
    server:send("back", from)
    data, from = client:recv()
    lu.assertEquals({ data, from }, { "back", path })
    lu.assertEquals(server:get_extra_info "sockname", path)
    client:send(("x"):rep(150000)) -- longer than UDP's ever are
    lu.assertEquals(#server:recv(), 150000)
    lu.assertEquals(raised(aio.OSError, client.send, client, ("x"):rep(1 << 24)).code, "EMSGSIZE")
  end)
end

function T.test_a_host_is_no_path()
  with_unix(function(server)
    lu.assertErrorMsgContains("path expected, since this endpoint is a Unix", server.send, server,
      "x", { "127.0.0.1", 9 })
  end)
end

function T.test_a_sender_without_a_name()
  with_unix(function(server, _, path)
    local d <close> = aio.open_datagram { remote_addr = path }
    d:send("x")
    lu.assertEquals({ server:recv() }, { "x", "" })
  end)
end

function T.test_nothing_is_dropped_the_sender_waits()
  with_unix(function(server, client)
    local sent = 0
    local t = aio.create_task(function()
      for i = 1, FLOOD do
        client:send(i)
        sent = i
      end
    end)
    lu.assertTrue(streams.settled(function() return sent end) < FLOOD)
    for i = 1, FLOOD do lu.assertEquals(server:recv(), tostring(i)) end
    t:await()
    lu.assertEquals(server:dropped(), 0)
  end, { queue = 3 })
end

-- Here the system tells that it takes datagrams even when the receiver does not.
function T.test_the_sender_waits_also_without_a_peer_of_its_own()
  with_unix(function(server, _, path)
    local d <close> = aio.open_datagram { local_addr = path .. ".other" }
    local sent = 0
    local t = aio.create_task(function()
      for i = 1, FLOOD do
        d:send(i, path)
        sent = i
      end
    end)
    lu.assertTrue(streams.settled(function() return sent end) < FLOOD)
    for i = 1, FLOOD do lu.assertEquals(server:recv(), tostring(i)) end
    t:await()
  end, { queue = 3 })
end

function T.test_closing_while_a_sender_waits()
  with_unix(function(_, client, path)
    local other <close> = aio.open_datagram { local_addr = path .. ".other" }
    local tasks = {
      aio.create_task(function() while true do client:send("x") end end),
      aio.create_task(function() while true do client:send("y") end end),
      aio.create_task(function() while true do other:send("z", path) end end),
    }
    streams.polled()
    client:close()
    other:close()
    for _, t in ipairs(tasks) do
      lu.assertEquals(raised(aio.OSError, t.await, t).code, "ECONNABORTED")
    end
  end, { queue = 1 })
end

function T.test_a_cancelled_sender()
  with_unix(function(server, client)
    local sent = 0
    local t = aio.create_task(function()
      while true do
        client:send("x")
        sent = sent + 1
      end
    end)
    streams.settled(function() return sent end)
    t:cancel()
    raised(aio.CancelledError, t.await, t)
    for _ = 1, sent do server:recv() end
    streams.polled()
    lu.assertEquals(aio.select { { server, "recv" }, { sleep = 0 } }, 2) -- no more than that
  end, { queue = 1 })
end

function T.test_a_send_that_would_wait_outside_a_task()
  with_unix(function(_, client)
    local err = aio.Future()
    aio.get_running_loop():call_soon(function()
      local _, e = pcall(function() while true do client:send("x") end end)
      err:set_result(e)
    end)
    lu.assertStrContains(err:await().message, "a callback cannot wait")
  end, { queue = 1 })
end

function T.test_files()
  with_unix(function(_, _, path)
    local err = raised(aio.OSError, aio.open_datagram, { local_addr = path })
    lu.assertEquals({ err.code, err.filename }, { "EADDRINUSE", path })
    local d <close> = aio.open_datagram { local_addr = path .. ".x" }
    err = raised(aio.OSError, d.send, d, "x", path .. ".none")
    lu.assertEquals({ err.code, err.filename }, { "ENOENT", path .. ".none" })
    raised(aio.OSError, aio.open_datagram, { remote_addr = path .. ".none" })
  end)
end

function T.test_a_file_that_nobody_is_at_is_replaced()
  with_unix(function(_, _, path)
    local old = path .. ".old"
    local one = aio.open_datagram { local_addr = old }
    os.rename(old, old .. ".kept") -- so that closing does not remove it
    one:close()
    os.rename(old .. ".kept", old)
    local two <close> = aio.open_datagram { local_addr = old }
    lu.assertEquals(two:get_extra_info "sockname", old)
  end)
end

function T.test_an_abstract_name()
  lu.skipIf(UV, "this system has no Unix datagram sockets")
  aio.run(function()
    local d <close> = aio.open_datagram { local_addr = "\0aio test " .. os.tmpname() }
    local name = d:get_extra_info "sockname"
    lu.assertEquals(name:sub(1, 5), "\0aio ")
    local c <close> = aio.open_datagram { remote_addr = name }
    c:send("x")
    lu.assertEquals(d:recv(), "x")
  end)
end

function T.test_not_on_this_system()
  lu.skipIf(not UV, "it is")
  aio.run(function()
    local err = raised(aio.OSError, aio.open_datagram, { local_addr = "/nonexistent/socket" })
    lu.assertEquals(err.code, "ENOTSUP")
  end)
end

return T
