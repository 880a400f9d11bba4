-- SPDX-License-Identifier: MIT
-- WebSocket connections: messages, control frames, closing, limits of time and size, cancellation.
-- Over streams in memory and under a virtual clock where nothing else is asked for.

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

local WebSocketError = websocket.WebSocketError

local echo, with_pair, with_raw = pair.echo, pair.with_pair, pair.with_raw

-- ---- messages ----

function T.test_echo_keeps_text_and_binary()
  for _, stream in ipairs { {}, { chunk = 1 }, { chunk = 100, seed = 3 } } do
    with_pair(echo, function(client)
      for _, data in ipairs { "", "hello", "é€😀", ("x"):rep(125), ("x"):rep(126),
        ("y"):rep(70000) } do
        client:send(data)
        local msg = client:receive()
        lu.assertEquals(msg.type, "text")
        lu.assertTrue(msg.data == data and tostring(msg) == data and #msg == #data)
        client:send_bytes(data .. "\xff")
        msg = client:receive()
        lu.assertEquals(msg.type, "binary")
        lu.assertTrue(msg.data == data .. "\xff")
      end
    end, { stream = stream })
  end
end

function T.test_receive_by_type()
  with_pair(echo, function(client)
    client:send "a"
    lu.assertEquals(client:receive_str(), "a")
    client:send_bytes "b"
    lu.assertEquals(client:receive_bytes(), "b")
    client:send "c"
    local ok, err = pcall(client.receive_bytes, client)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, WebSocketError))
    lu.assertEquals(err.message, "text message received, binary expected")
    client:close()
    lu.assertErrorMsgContains("closed (code 1000)", client.receive_str, client)
  end)
end

function T.test_json()
  if not pcall(require, "aio.json") then return lu.skip("built without JSON") end
  with_pair(function(self)
    local value = self:receive_json()
    value.seen = true
    self:send_json(value)
  end, function(client)
    client:send_json { n = 1 }
    lu.assertEquals(client:receive():json(), { n = 1, seen = true })
  end)
end

function T.test_messages_sent_by_several_tasks_do_not_mix()
  local got = {}
  with_pair(function(self)
    for msg in self:messages() do got[#got + 1] = msg.data end
  end, function(client)
    aio.map(function(i)
      for k = 1, 20 do
        client:send(("%d %d "):format(i, k) .. tostring(i):rep(5000))
      end
    end, { 1, 2, 3, 4, 5 })
    client:close()
  end, { stream = { capacity = 100, chunk = 900, seed = 1 }, client = { compress = true } })
  lu.assertEquals(#got, 100)
  local last = {}
  for _, text in ipairs(got) do
    local i, k, rest = text:match "^(%d) (%d+) (%d+)$"
    lu.assertEquals(rest, i:rep(5000))
    lu.assertEquals(tonumber(k), (last[i] or 0) + 1)
    last[i] = tonumber(k)
  end
end

function T.test_a_sender_waits_for_a_reader()
  local sent = 0
  with_pair(function(self)
    aio.sleep(100)
    echo(self)
  end, function(client)
    local task = aio.create_task(function()
      for _ = 1, 100 do
        client:send(("x"):rep(10000))
        sent = sent + 1
      end
    end)
    aio.sleep(50)
    lu.assertTrue(sent < 60)
    for _ = 1, 100 do client:receive() end
    task:await()
  end)
end

-- ---- control frames ----

function T.test_pings_are_answered_also_between_fragments()
  with_raw(echo, function(raw)
    raw:write(ws.frame(ws.PING, "one"), ws.frame(ws.TEXT, "a", { fin = false }),
      ws.frame(ws.PING, "two"), ws.frame(ws.PONG, "nobody asked"), ws.frame(0, "b"), ws.close(1000))
    lu.assertEquals({ pair.read_frame(raw) }, { 0x8a, "one" })
    lu.assertEquals({ pair.read_frame(raw) }, { 0x8a, "two" })
    lu.assertEquals({ pair.read_frame(raw) }, { 0x81, "ab" })
    lu.assertEquals({ pair.read_frame(raw) }, { 0x88, "\3\232" })
    lu.assertNil(raw:read(1))
  end)
end

function T.test_ping_and_pong_by_hand()
  with_raw(function(self)
    self:ping "data"
    self:ping()
    self:pong "unasked"
    lu.assertErrorMsgContains("at most 125 bytes", self.ping, self, ("x"):rep(126))
    echo(self)
  end, function(raw)
    lu.assertEquals({ pair.read_frame(raw) }, { 0x89, "data" })
    lu.assertEquals({ pair.read_frame(raw) }, { 0x89, "" })
    lu.assertEquals({ pair.read_frame(raw) }, { 0x8a, "unasked" })
    raw:write(ws.close(1000))
    lu.assertEquals({ pair.read_frame(raw) }, { 0x88, "\3\232" })
  end)
end

-- ---- closing ----

function T.test_the_client_closes()
  with_pair(function(self)
    lu.assertNil(self:receive())
    lu.assertEquals({ self.close_code, self.close_reason }, { 4001, "bye" })
    lu.assertNil(self:exception())
    lu.assertNil(self:receive())
  end, function(client)
    lu.assertTrue(client:close(4001, "bye"))
    lu.assertTrue(client.closed)
    lu.assertEquals(client.close_code, 4001)
    lu.assertFalse(client:close())
    lu.assertNil(client:receive())
    lu.assertNil(client:exception())
    local ok, err = pcall(client.send, client, "x")
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, WebSocketError))
    lu.assertEquals(err.code, 4001)
  end)
end

function T.test_the_server_closes_and_when_its_handler_ends()
  with_pair(function(self) self:close(3000, "enough") end, function(client)
    lu.assertNil(client:receive())
    lu.assertEquals({ client.close_code, client.close_reason }, { 3000, "enough" })
  end)
  with_pair(function() end, function(client)
    lu.assertNil(client:receive())
    lu.assertEquals(client.close_code, 1000)
  end)
end

function T.test_close_while_another_task_receives()
  with_pair(echo, function(client)
    local reader = aio.create_task(client.receive, client)
    aio.sleep(1)
    lu.assertErrorMsgContains("another task receives", client.receive, client)
    client:close(1000, "done")
    lu.assertNil(reader:await())
    lu.assertEquals(client.close_code, 1000)
  end)
end

-- The task that receives answers a ping, which a peer that reads nothing makes it wait for.
function T.test_close_while_another_task_answers_a_ping()
  with_raw(function(self)
    local sender = aio.create_task(self.send, self, ("x"):rep(1 << 20))
    local reader = aio.create_task(self.receive, self)
    aio.sleep(2)
    lu.assertErrorMsgContains("another task receives", self.receive, self)
    lu.assertTrue(self:close())
    sender:await()
    lu.assertNil(reader:await())
    lu.assertEquals(self.close_code, 1000)
    lu.assertNil(self:exception())
  end, function(raw)
    aio.sleep(1)
    raw:write(ws.frame(ws.PING, ""))
    aio.sleep(2)
    for _, first in ipairs { 0x81, 0x8a, 0x88 } do
      lu.assertEquals((pair.read_frame(raw)), first)
    end
    aio.sleep(1)
    raw:write(ws.close(1000))
  end)
end

function T.test_messages_on_their_way_are_dropped_by_close()
  with_pair(function(self)
    for _ = 1, 10 do self:send "late" end
    echo(self)
  end, function(client)
    client:close()
    lu.assertEquals(client.close_code, 1000)
  end)
end

function T.test_a_peer_that_never_answers_the_close()
  with_raw(function(self)
    local before = aio.get_running_loop():time()
    self:close(1000)
    lu.assertEquals(aio.get_running_loop():time() - before, 7)
    lu.assertEquals(self.close_code, 1006)
  end, function(raw)
    lu.assertEquals({ pair.read_frame(raw) }, { 0x88, "\3\232" })
    aio.sleep(100)
  end, { server = { close_timeout = 7 } })
end

function T.test_a_reader_is_freed_when_the_close_is_not_answered()
  with_raw(function(self)
    local reader = aio.create_task(self.receive, self)
    aio.sleep(1)
    self:close()
    lu.assertNil(reader:await())
    lu.assertEquals(self.close_code, 1006)
  end, function() aio.sleep(100) end)
end

function T.test_a_client_waits_for_the_server_to_hang_up()
  testing.run(function()
    local a <close>, b = testing.stream_pair()
    local _ <close> = b
    local task = aio.create_task(function()
      pair.serve(a, function(self)
        self._conn:readexactly(8) -- the close frame: two bytes, the key, the code
        self._conn:write("\x88\2\3\232")
        aio.sleep(3)
        self._conn:abort()
      end)
    end)
    local client = assert(pair.connect(b))
    client:close()
    lu.assertEquals(aio.get_running_loop():time(), 3)
    lu.assertEquals(client.close_code, 1000)
    pcall(task.await, task)
  end)
end

function T.test_the_peer_vanishes()
  for _, how in ipairs { "close", "abort" } do
    local raised = with_raw(function(self)
      lu.assertEquals(self:receive().data, "x")
      lu.assertNil(self:receive())
      lu.assertEquals(self.close_code, 1006)
      lu.assertTrue(aio.is(self:exception(), WebSocketError))
      lu.assertEquals(self:exception().code, 1006)
      self:send "into the void"
    end, function(raw)
      raw:write(ws.frame(ws.TEXT, "x"))
      aio.sleep(1)
      raw[how](raw)
    end)
    lu.assertNil(raised)
  end
end

function T.test_nothing_is_sent_after_a_loss()
  for _, more in ipairs { "", "Sec-WebSocket-Extensions: permessage-deflate\r\n" } do
    local raised = with_raw(function(self)
      aio.sleep(2)
      for _ = 1, 3 do
        for _, name in ipairs { "send", "send_bytes", "ping", "pong" } do
          local ok, err = pcall(self[name], self, "into the void")
          lu.assertFalse(ok)
          lu.assertTrue(aio.is(err, WebSocketError), tostring(err))
          lu.assertEquals(err.code, 1006)
        end
      end
      lu.assertEquals(self.close_code, 1006)
      lu.assertEquals(self:exception().code, 1006)
      self:send "the last"
    end, function(raw)
      aio.sleep(1)
      raw:abort()
    end, { more = more })
    lu.assertNil(raised)
  end
end

function T.test_a_connection_that_was_given_up_is_lost()
  local raised = with_raw(function(self)
    self._conn:abort() -- as a limit of time does
    lu.assertErrorMsgContains("lost", self.send, self, "x")
    lu.assertTrue(self.closed)
    lu.assertEquals(self:exception().code, 1006)
    lu.assertNil(self:receive())
    lu.assertFalse(self:close())
    self:send "the last"
  end, function() aio.sleep(1) end)
  lu.assertNil(raised)
end

-- Of a peer that has gone nothing is reported, whoever of the handler's tasks learns of it.
function T.test_tasks_of_a_handler_whose_peer_vanishes()
  local raised = with_raw(function(self)
    local tg <close> = aio.TaskGroup()
    for _ = 1, 2 do
      tg:create_task(function()
        aio.sleep(5)
        self:send "into the void"
      end)
    end
    lu.assertNil(self:receive())
  end, function(raw)
    aio.sleep(1)
    raw:abort()
  end)
  lu.assertNil(raised)
  raised = with_raw(function(self)
    aio.TaskGroup(function(tg)
      tg:create_task(error, "its own")
      tg:create_task(self.receive, self)
    end)
  end, function(raw) raw:read "a" end)
  lu.assertTrue(aio.is(raised, aio.ExceptionGroup))
end

-- What the peer did wrong, and what is said to it.
function T.test_rules_that_are_broken()
  for i, case in ipairs(ws.cases()) do -- the reader alone has had them all
    local code = i % 3 == 0 and case.expected[#case.expected]:match "^error (%d+)"
    if code and not case.max then
      with_raw(function(self)
        local seen = {}
        for msg in self:messages() do seen[#seen + 1] = msg.type .. " " .. msg.data end
        local expected = {}
        for _, event in ipairs(case.expected) do
          if event:find "^text" or event:find "^binary" then expected[#expected + 1] = event end
        end
        lu.assertEquals(seen, expected, case.name)
        lu.assertEquals(self.close_code, tonumber(code))
        lu.assertEquals(self:exception().code, tonumber(code))
      end, function(raw)
        raw:write(case.bytes)
        local first, payload
        repeat first, payload = pair.read_frame(raw) until first ~= 0x8a
        lu.assertEquals(first, 0x88, case.name)
        lu.assertEquals(string.unpack(">I2", payload), tonumber(code), case.name)
        lu.assertNil(raw:read(1))
        raw:close()
      end)
    end
  end
end

function T.test_a_peer_that_goes_on_after_it_broke_the_rules_is_cut_off()
  with_raw(echo, function(raw)
    raw:write("\xff\xff")
    local ok = pcall(function()
      for _ = 1, 1000 do
        raw:write(("x"):rep(10000))
        aio.sleep(0.01)
      end
    end)
    lu.assertFalse(ok)
    lu.assertTrue(aio.get_running_loop():time() < 4)
    raw:abort()
  end)
end

-- ---- limits ----

function T.test_the_size_of_a_message()
  with_pair(echo, function(client)
    client:send(("x"):rep(1000))
    lu.assertEquals(#client:receive(), 1000)
    client:send(("x"):rep(1001))
    lu.assertNil(client:receive())
    lu.assertEquals({ client.close_code, client.close_reason }, { 1009, "message above the limit" })
  end, { server = { max_msg_size = 1000 } })
  with_pair(echo, function(client)
    client:send(("x"):rep(5 << 20))
    lu.assertEquals(#client:receive(), 5 << 20)
  end, { server = { max_msg_size = 0 }, client = { max_msg_size = 0 } })
end

function T.test_a_limit_of_time_loses_nothing()
  with_raw(function(self)
    local ok, err = pcall(self.receive, self, 5)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.TimeoutError))
    lu.assertEquals(err.message, "no message within 5 s")
    lu.assertEquals(aio.get_running_loop():time(), 5)
    lu.assertErrorMsgContains("within 2 s", self.receive, self)
    lu.assertEquals(self:receive(10).data, "whole")
    self:close()
  end, function(raw)
    local frame = ws.frame(ws.TEXT, "whole")
    aio.sleep(4)
    raw:write(frame:sub(1, 8))
    aio.sleep(5)
    raw:write(frame:sub(9), ws.close(1000))
    raw:read "a"
  end, { server = { receive_timeout = 2 } })
end

-- ---- the life of a handler ----

function T.test_an_error_of_the_handler()
  local raised = with_pair(function() error "broken" end, function(client)
    lu.assertNil(client:receive())
    lu.assertEquals(client.close_code, 1011)
  end)
  lu.assertStrContains(raised, "broken")
end

function T.test_a_handler_that_is_cancelled_says_that_it_goes_away()
  local raised = with_pair(function(self) self:receive() end, function(client, task)
    aio.sleep(1)
    task:cancel "shutting down"
    lu.assertNil(client:receive())
    lu.assertEquals(client.close_code, 1001)
  end)
  lu.assertTrue(aio.is(raised, aio.CancelledError))
end

function T.test_a_handler_that_is_cancelled_cuts_off_who_does_not_read()
  local raised = with_raw(function(self)
    self:send(("x"):rep(1 << 20))
  end, function(raw, task)
    aio.sleep(1)
    task:cancel()
    aio.sleep(11)
    local size = 0
    pcall(function()
      for data in raw:lines(65536) do size = size + #data end
    end)
    lu.assertTrue(size < 1 << 20)
  end, { stream = { capacity = 1000 } })
  lu.assertTrue(aio.is(raised, aio.CancelledError))
end

function T.test_a_block_closes_it()
  with_pair(echo, function(client)
    do
      local inner <close> = client
      inner:send "x"
    end
    lu.assertEquals(client.close_code, 1000)
  end)
end

function T.test_a_receive_that_is_cancelled_loses_nothing()
  with_raw(function(self)
    for _ = 1, 3 do
      lu.assertErrorMsgContains("timeout", aio.timeout, 1, self.receive, self)
    end
    lu.assertEquals(self:receive().data, "slowly")
    self:close()
  end, function(raw)
    local frame = ws.frame(ws.TEXT, "slowly")
    for i = 1, #frame do
      aio.sleep(0.5)
      raw:write(frame:sub(i, i))
    end
    raw:write(ws.close(1000))
    raw:read "a"
  end)
end

function T.test_a_send_that_is_cancelled_is_sent_whole()
  local got = {}
  with_pair(function(self)
    aio.sleep(10)
    for msg in self:messages() do got[#got + 1] = #msg end
  end, function(client)
    lu.assertErrorMsgContains("timeout", aio.timeout, 1, client.send, client, ("x"):rep(500000))
    client:send "after it"
  end, { stream = { capacity = 1000 } })
  lu.assertEquals(got, { 500000, 8 })
end

function T.test_a_close_that_is_cancelled_leaves_nothing()
  with_raw(echo, function(raw, task)
    raw:write(ws.frame(ws.TEXT, "x"))
    pair.read_frame(raw)
    task:cancel()
    lu.assertEquals({ pair.read_frame(raw) }, { 0x88, "\3\233" })
  end)
  with_raw(function(self)
    lu.assertErrorMsgContains("timeout", aio.timeout, 1, self.close, self)
    lu.assertTrue(self.closed)
  end, function(raw) raw:read "a" end)
end

-- Both ends do all that there is; one of them is cancelled after so many turns of the loop.
local function cancelled_after(turns, which)
  testing.run(function()
    local a <close>, b = testing.stream_pair { chunk = 700, capacity = 3000 }
    local _ <close> = b
    local tasks = {}
    tasks[1] = aio.create_task(pair.serve, a, echo, { heartbeat = 5 })
    tasks[2] = aio.create_task(function()
      local client <close> = assert(pair.connect(b, { compress = true }))
      client:send "one"
      client:send_bytes(("x"):rep(5000), { compress = false })
      client:ping()
      for _ = 1, 2 do assert(client:receive()) end
    end)
    for _ = 1, turns do aio.sleep(0) end
    tasks[which]:cancel()
    for _, task in ipairs(tasks) do pcall(task.await, task) end
  end)
end

function T.test_cancelling_at_any_moment_leaves_nothing()
  for turns = 0, 40 do
    for which = 1, 2 do cancelled_after(turns, which) end
  end
end

-- ---- arguments ----

function T.test_wrong_arguments()
  with_pair(echo, function(client)
    for _, case in ipairs {
      { "send", "string or message expected, got number", 5 },
      { "send", "not UTF-8; use send_bytes", "\xff" },
      { "send", "unknown option 'x'", "a", { x = 1 } },
      { "send_bytes", "string expected, got table", {} },
      { "close", "code that may be sent", 1005 },
      { "close", "code that may be sent", "1000" },
      { "close", "at most 123 bytes", 1000, ("x"):rep(124) },
      { "receive", "seconds expected", "soon" },
    } do
      lu.assertErrorMsgContains(case[2], client[case[1]], client, table.unpack(case, 3))
    end
    lu.assertErrorMsgContains("write a colon", client.send, "x")
    lu.assertEquals(tostring(client), "WebSocket (client, open)")
    lu.assertEquals(client:get_extra_info("nothing", 5), 5)
  end)
  for option, value in pairs { heartbeat = 0, max_msg_size = -1, close_timeout = -1, compress = 5,
    origins = 5, protocols = { "a b" }, receive_timeout = 0, nonsense = 1 } do
    lu.assertErrorMsgContains("option '" .. option, websocket.check_options,
      { [option] = value }, 2, "websocket")
  end
  for option, value in pairs { level = 0, window_bits = 8, mem_level = 10,
    peer_window_bits = 16 } do
    lu.assertErrorMsgContains("'" .. option .. "'", websocket.check_options,
      { compress = { [option] = value } }, 2, "websocket")
  end
end

return T
