-- SPDX-License-Identifier: MIT
-- The heartbeat of WebSockets, whoever receives or not. Over streams in memory, under a virtual
-- clock.

local env = require "support.env"
local lu = require "luaunit"

local T = {}

if not (env.has_http() and env.has_tls()) then
  function T.test_http() lu.skip("built without HTTP or TLS") end
  return T
end

local aio = require "aio"
local testing = require "aio.testing"
local websocket = require "aio.http.websocket"
local pair = require "support.websocket"
local ws = require "support.ws"

local echo, with_pair, with_raw = pair.echo, pair.with_pair, pair.with_raw

local function now() return aio.get_running_loop():time() end

-- ---- somebody receives ----

function T.test_heartbeat_of_a_peer_that_is_alive()
  with_pair(echo, function(client)
    aio.create_task(function()
      aio.sleep(100)
      client:send "still here"
    end)
    lu.assertEquals(client:receive().data, "still here")
    lu.assertEquals(now(), 100)
  end, { server = { heartbeat = 10 }, client = { heartbeat = 7 } })
end

function T.test_heartbeat_of_a_peer_that_is_dead()
  with_raw(function(self)
    lu.assertNil(self:receive())
    lu.assertEquals(now(), 15)
    lu.assertEquals(self.close_code, 1006)
    lu.assertStrContains(self:exception().message, "no answer to a ping within 5 s")
  end, function(raw)
    lu.assertEquals({ pair.read_frame(raw) }, { 0x89, "" })
    lu.assertNil(raw:read(1))
  end, { server = { heartbeat = 10 } })
end

-- A large frame that comes slowly keeps the answer to a ping behind it.
function T.test_heartbeat_while_a_message_is_on_its_way()
  with_raw(function(self)
    lu.assertEquals(#self:receive(), 40)
    self:close()
  end, function(raw)
    local frame = ws.frame(ws.TEXT, ("x"):rep(40))
    for i = 1, #frame do
      aio.sleep(1)
      raw:write(frame:sub(i, i))
    end
    raw:write(ws.close(1000))
    raw:read "a"
  end, { server = { heartbeat = 3 } })
end

-- Silence counts from what came last.
function T.test_heartbeat_begins_anew_with_each_message()
  with_raw(echo, function(raw)
    aio.sleep(7)
    raw:write(ws.frame(ws.TEXT, "x"))
    lu.assertEquals({ pair.read_frame(raw) }, { 0x81, "x" })
    lu.assertEquals({ pair.read_frame(raw) }, { 0x89, "" })
    lu.assertEquals(now(), 17)
    raw:write(ws.frame(ws.PONG, ""))
    lu.assertEquals({ pair.read_frame(raw) }, { 0x89, "" })
    lu.assertEquals(now(), 27)
    raw:write(ws.close(1000))
    pair.read_frame(raw)
  end, { server = { heartbeat = 10 } })
end

-- ---- nobody receives ----

-- Sends until that fails; what was raised, and when.
local function send_on(self)
  while true do
    local ok, err = pcall(self.send, self, "tick")
    if not ok then return err, now() end
    aio.sleep(1)
  end
end

function T.test_who_only_sends_notices_a_dead_peer()
  local pings = 0
  local raised = with_raw(function(self)
    local err, at = send_on(self)
    lu.assertTrue(aio.is(err, websocket.WebSocketError))
    lu.assertEquals({ err.code, self.close_code }, { 1006, 1006 })
    lu.assertTrue(at == 15 or at == 16)
    lu.assertStrContains(self:exception().message, "no answer to a ping within 5 s")
    lu.assertTrue(self.closed)
    lu.assertNil(self:receive())
    error(err, 0) -- and this is not reported
  end, function(raw)
    while true do
      local first = pair.read_frame(raw)
      if not first then break end
      if first == 0x89 then pings = pings + 1 end
    end
  end, { server = { heartbeat = 10 } })
  lu.assertNil(raised)
  lu.assertEquals(pings, 1)
end

function T.test_who_waits_to_send_notices_a_dead_peer()
  with_raw(function(self)
    local ok, err = pcall(self.send, self, ("x"):rep(1 << 20))
    lu.assertFalse(ok)
    lu.assertEquals({ err.code, self.close_code, now() }, { 1006, 1006, 15 })
  end, function() aio.sleep(20) end, { server = { heartbeat = 10 }, stream = { capacity = 1000 } })
end

-- What is not read yet is an answer too.
function T.test_answers_that_nobody_reads()
  with_raw(function(self)
    for _ = 1, 100 do
      self:send "tick"
      aio.sleep(1)
    end
    self:close()
    lu.assertEquals(self.close_code, 1000)
  end, function(raw)
    while true do
      local first = pair.read_frame(raw)
      if first == 0x89 then raw:write(ws.frame(ws.PONG, "")) end
      if first == 0x88 then break end
    end
    raw:write(ws.close(1000))
    raw:read "a"
  end, { server = { heartbeat = 10 } })
end

-- A handler that is busy with the first of many messages: the answer is behind the others, which
-- wait until there is room. Nothing of them is lost.
function T.test_an_answer_behind_what_nobody_reads()
  local size, count = 30000, 10
  with_raw(function(self)
    aio.sleep(100)
    for _ = 1, count do lu.assertEquals(#self:receive().data, size) end
    lu.assertNil(self:receive())
    lu.assertEquals(self.close_code, 1000)
  end, function(raw)
    for _ = 1, count do raw:write(ws.frame(ws.TEXT, ("x"):rep(size))) end
    raw:write(ws.close(1000))
    raw:read "a"
  end, { server = { heartbeat = 10 } })
end

-- So is the end: what came before it can still be received.
function T.test_the_end_that_nobody_reads()
  with_raw(function(self)
    aio.sleep(100)
    lu.assertEquals(self:receive().data, "x")
    lu.assertNil(self:receive())
    lu.assertEquals(self.close_code, 4000)
  end, function(raw)
    raw:write(ws.frame(ws.TEXT, "x"), ws.close(4000))
    raw:write_eof()
    raw:read "a"
  end, { server = { heartbeat = 10 } })
end

-- One that was forgotten is not kept by its timer.
function T.test_one_that_is_forgotten()
  testing.run(function()
    local mine, other = testing.stream_pair()
    local _ <close> = aio.defer(function()
      mine:abort()
      other:abort()
    end)
    local _, plan = websocket.prepare({ heartbeat = 5 }, 1, "connect")
    local seen = setmetatable({ websocket.client(mine, plan) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    lu.assertNil(seen[1])
    aio.sleep(20)
    lu.assertFalse(mine:is_closing())
  end)
end

return T
