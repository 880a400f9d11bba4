-- SPDX-License-Identifier: MIT
-- Channels: order, bounds, closing, cancellation, select, within one thread and between several.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"
local support = require "support.tasks"

local raised, turns = support.raised_saying, support.turns

local T = {}

-- ---- one thread ----

function T.test_order_and_copies()
  local channel = aio.Channel(3)
  local t = { 1 }
  channel:send_nowait(t)
  channel:send_nowait(false)
  channel:send_nowait "text"
  lu.assertEquals(channel:qsize(), 3)
  lu.assertEquals(channel:capacity(), 3)
  raised(aio.QueueFull, "full", channel.send_nowait, channel, 4)
  t[1] = 2
  lu.assertEquals(channel:recv_nowait(), { 1 })
  lu.assertEquals(channel:recv_nowait(), false)
  lu.assertEquals(channel:recv_nowait(), "text")
  raised(aio.QueueEmpty, "empty", channel.recv_nowait, channel)
end

function T.test_wrong_arguments()
  raised(nil, "a capacity of at least 1", aio.Channel, 0)
  raised(nil, "number expected", aio.Channel, "many")
  local channel = aio.Channel()
  raised(nil, "nil cannot be sent", channel.send_nowait, channel)
  raised(nil, "the message.x: a userdata (FILE*)", channel.send_nowait, channel, { x = io.stdout })
  raised(nil, "Channel expected, got table", channel.send, {}, 1)
  raised(aio.RuntimeError, "outside a task", channel.recv, channel)
  lu.assertEquals(channel:qsize(), 0)
  lu.assertStrContains(tostring(channel), "0 of 64 messages")
end

function T.test_send_waits_while_it_is_full_and_recv_while_it_is_empty()
  aio.run(function()
    local channel, log = aio.Channel(1), {}
    local sender = aio.create_task(function()
      for i = 1, 4 do
        channel:send(i)
        log[#log + 1] = i
      end
    end)
    while channel:qsize() == 0 do aio.sleep(0) end
    turns(5)
    lu.assertEquals(log, { 1 })
    for i = 1, 4 do lu.assertEquals(channel:recv(), i) end
    sender:await()
    local receiver = aio.create_task(channel.recv, channel)
    turns(5)
    channel:send "late"
    lu.assertEquals(receiver:await(), "late")
  end)
end

function T.test_closing()
  aio.run(function()
    local channel = aio.Channel(1)
    channel:send(1)
    local sender = aio.create_task(channel.send, channel, 2)
    turns(5)
    channel:close()
    channel:close() -- again is nothing
    lu.assertTrue(channel:is_closed())
    raised(aio.QueueShutDown, "closed", sender.await, sender)
    raised(aio.QueueShutDown, "closed", channel.send, channel, 3)
    raised(aio.QueueShutDown, "closed", channel.send_nowait, channel, 3)
    lu.assertEquals(channel:recv(), 1)
    raised(aio.QueueShutDown, "closed", channel.recv, channel)
    raised(aio.QueueShutDown, "closed", channel.recv_nowait, channel)
    local other = aio.Channel(1)
    local receivers = {}
    for i = 1, 3 do receivers[i] = aio.create_task(other.recv, other) end
    turns(5)
    do local _ <close> = other end
    for i = 1, 3 do raised(aio.QueueShutDown, "closed", receivers[i].await, receivers[i]) end
  end)
end

function T.test_iteration_ends_when_it_is_closed_and_empty()
  aio.run(function()
    local channel, got = aio.Channel(2), {}
    local task = aio.create_task(function()
      for item in channel:items() do got[#got + 1] = item end
      return "end"
    end)
    for i = 1, 5 do channel:send(i) end
    channel:close()
    lu.assertEquals(task:await(), "end")
    lu.assertEquals(got, { 1, 2, 3, 4, 5 })
  end)
end

function T.test_a_cancelled_wait_takes_and_puts_nothing()
  aio.run(function()
    local channel = aio.Channel(1)
    local a, b = aio.create_task(channel.recv, channel), aio.create_task(channel.recv, channel)
    turns(5)
    a:cancel()
    channel:send "for b"
    lu.assertEquals(b:await(), "for b")
    raised(aio.CancelledError, "", a.await, a)
    channel:send(1)
    local sender = aio.create_task(channel.send, channel, "never")
    turns(5)
    sender:cancel()
    raised(aio.CancelledError, "", sender.await, sender)
    lu.assertEquals(channel:recv(), 1)
    lu.assertEquals(channel:qsize(), 0)
  end)
end

function T.test_a_turn_of_a_cancelled_task_goes_to_the_next()
  aio.run(function()
    local channel = aio.Channel(1)
    local a, b = aio.create_task(channel.recv, channel), aio.create_task(channel.recv, channel)
    turns(5)
    channel:send(1)
    a:cancel() -- its poke is under way, or it was given its turn
    lu.assertEquals(b:await(), 1)
    for n = 0, 6 do
      a, b = aio.create_task(channel.recv, channel), aio.create_task(channel.recv, channel)
      turns(5)
      channel:send(n)
      turns(n)
      local won = a:done()
      a:cancel()
      turns(5)
      if won then channel:send(n) end
      lu.assertEquals(b:await(), n)
    end
  end)
end

-- Bytes of memory that the process has.
local function resident()
  local file <close> = assert(io.open "/proc/self/statm")
  return tonumber(file:read "a":match "%d+ (%d+)") * 4096
end

-- A sanitizer or valgrind finds what is lost by itself, and keeps what was freed for a while.
local checked = env.valgrind or env.sanitizers ~= ""

-- Makes channels and forgets them, with something large in each; nothing of it stays.
local function forget_many(make)
  local large = ("x"):rep(1 << 20)
  local before
  for i = 1, 120 do
    make(large)
    collectgarbage()
    collectgarbage()
    if i == 20 then before = resident() end
  end
  if not checked then lu.assertTrue(resident() - before < 50 << 20, "memory is lost") end
end

function T.test_channels_that_hold_each_other_and_that_nobody_has()
  forget_many(function(large)
    local itself = aio.Channel(2)
    itself:send_nowait { itself, large }
  end)
  forget_many(function(large)
    local ring = {}
    for i = 1, 5 do ring[i] = aio.Channel(3) end
    for i = 1, 5 do
      ring[i]:send_nowait { ring[i % 5 + 1], { ring[i] } }
      ring[i]:send_nowait(i == 1 and large or i)
    end
  end)
  forget_many(function(large) -- a chain that hangs on nothing
    local last = aio.Channel(1)
    last:send_nowait(large)
    for _ = 1, 1000 do
      local channel = aio.Channel(1)
      channel:send_nowait(last)
      last = channel
    end
  end)
end

function T.test_a_channel_that_is_only_in_another_one_lives()
  local outer = aio.Channel(2)
  do
    local inner = aio.Channel(2)
    inner:send_nowait(outer)
    inner:send_nowait "in the innermost"
    outer:send_nowait(inner)
  end
  collectgarbage()
  collectgarbage()
  local inner = outer:recv_nowait()
  lu.assertIs(inner:recv_nowait(), outer)
  lu.assertEquals(inner:recv_nowait(), "in the innermost")
  raised(aio.QueueFull, "full", function() -- one that is refused is no more in it than before
    for i = 1, 3 do inner:send_nowait(i < 3 and i or inner) end
  end)
  lu.assertEquals(inner:recv_nowait(), 1)
end

function T.test_select()
  aio.run(function()
    local a, b = aio.Channel(1), aio.Channel(1)
    b:send_nowait "b"
    lu.assertEquals({ aio.select { { a, "recv" }, { b, "recv" } } }, { 2, "b" })
    lu.assertEquals({ aio.select { { a, "send", 1 } } }, { 1 })
    lu.assertEquals({ aio.select { { a, "send", 2 }, { sleep = 0.001 } } }, { 2 })
    lu.assertEquals(a:recv(), 1)
    local task = aio.create_task(aio.select, { { a, "recv" }, { b, "recv" } })
    turns(5)
    b:send "later"
    lu.assertEquals({ task:await() }, { 2, "later" })
    lu.assertEquals(a:qsize() + b:qsize(), 0)
    task = aio.create_task(aio.select, { { a, "recv" }, { b, "recv" } })
    turns(5)
    a:close()
    raised(aio.QueueShutDown, "closed", task.await, task)
    raised(nil, "nil cannot be sent", aio.select, { { b, "send" } })
    local both = { aio.create_task(aio.select, { { b, "recv" } }),
      aio.create_task(aio.select, { { b, "recv" } }) }
    turns(5)
    both[1]:cancel()
    b:send "second"
    lu.assertEquals({ both[2]:await() }, { 1, "second" })
  end)
end

function T.test_one_loop_after_another()
  local channel = aio.Channel(1)
  for i = 1, 3 do
    aio.run(function()
      local task = aio.create_task(channel.recv, channel)
      turns(5)
      channel:send(i)
      lu.assertEquals(task:await(), i)
    end)
  end
end

function T.test_the_loop_gives_way()
  aio.run(function()
    local channel, ticks = aio.Channel(4000), 0
    local ticker = aio.create_task(function()
      for _ = 1, 3 do ticks = ticks + 1 aio.sleep(0) end
    end)
    for i = 1, 2000 do channel:send(i) end
    lu.assertTrue(ticks > 0)
    for i = 1, 2000 do lu.assertEquals(channel:recv(), i) end
    ticker:await()
  end)
end

-- ---- several ----

function T.test_between_threads_in_order_with_back_pressure()
  aio.run(function()
    local there, back = aio.Channel(2), aio.Channel(2)
    local future = aio.get_running_loop():run_in_executor(nil, function()
      for item in there:items() do back:send { item, back:qsize() <= 2 } end
      back:close()
      return "end"
    end)
    local sender = aio.create_task(function()
      for i = 1, 500 do there:send(i) end
      there:close()
    end)
    local n = 0
    for item in back:items() do
      n = n + 1
      lu.assertEquals(item, { n, true })
    end
    lu.assertEquals(n, 500)
    lu.assertEquals(future:await(), "end")
    sender:await()
  end)
end

function T.test_closing_under_waiters_of_other_threads()
  aio.run(function()
    local empty, full, ready = aio.Channel(1), aio.Channel(1), aio.Channel(8)
    full:send(1)
    local ex <close> = aio.Executor { max_workers = 2 }
    local function outcome(fn, ...)
      ready:send(true)
      local ok, err = pcall(fn, ...)
      return not ok and err.name
    end
    local a = ex:submit(function() return outcome(empty.recv, empty) end)
    local b = ex:submit(function() return outcome(full.send, full, 2) end)
    ready:recv()
    ready:recv()
    empty:close()
    full:close()
    lu.assertEquals({ a:await(), b:await() }, { "QueueShutDown", "QueueShutDown" })
    lu.assertEquals(full:recv(), 1)
  end)
end

function T.test_closing_from_another_thread_under_waiters_here()
  aio.run(function()
    local empty, full, go = aio.Channel(1), aio.Channel(1), aio.Channel(1)
    full:send(1)
    local waiters = {
      aio.create_task(empty.recv, empty), aio.create_task(full.send, full, 2),
      aio.create_task(aio.select, { { empty, "recv" }, { full, "send", 3 } }),
      aio.create_task(function() for _ in empty:items() do end return "ended" end),
    }
    local closer = aio.get_running_loop():run_in_executor(nil, function()
      go:recv()
      empty:close()
      full:close()
      return full:recv()
    end)
    turns(5)
    go:send(true)
    for i = 1, 3 do raised(aio.QueueShutDown, "closed", waiters[i].await, waiters[i]) end
    lu.assertEquals(waiters[4]:await(), "ended")
    lu.assertEquals(closer:await(), 1)
    lu.assertEquals(full:qsize(), 0)
  end)
end

function T.test_a_worker_that_ends_while_it_waits()
  aio.run(function()
    local channel, ready = aio.Channel(1), aio.Channel(1)
    local ex = aio.Executor { max_workers = 1 }
    local future = ex:submit(function()
      aio.create_task(function() ready:send(1) channel:recv() end)
      ready:recv() -- our own
      ready:send(2)
      os.exit(1)
    end)
    lu.assertFalse((pcall(future.await, future)))
    ex:shutdown()
    channel:send "not lost"
    lu.assertEquals(channel:recv(), "not lost")
  end)
end

function T.test_select_between_threads()
  aio.run(function()
    local a, b, stop = aio.Channel(1), aio.Channel(1), aio.Channel(1)
    local future = aio.get_running_loop():run_in_executor(nil, function()
      local sums = { 0, 0 }
      while true do
        local i, v = aio.select { { a, "recv" }, { b, "recv" }, { stop, "recv" } }
        if i == 3 then return sums end
        sums[i] = sums[i] + v
      end
    end)
    for i = 1, 100 do (i % 2 == 0 and a or b):send(i) end
    while a:qsize() + b:qsize() > 0 do aio.sleep(0) end
    stop:send(true)
    lu.assertEquals(future:await(), { 2550, 2500 })
  end)
end

function T.test_many_to_many_with_random_cancellation_loses_and_doubles_nothing()
  local seed = tonumber(os.getenv "AIO_SEED") or os.time()
  local each = tonumber(os.getenv "AIO_MESSAGES") or 400
  math.randomseed(seed)
  aio.run(function()
    local channel, done = aio.Channel(3), aio.Channel(4)
    local ex <close> = aio.Executor { max_workers = 4 }
    -- A send that is cancelled was not made, or the call has returned.
    local function produce(from, n, s)
      math.randomseed(s)
      local sent = {}
      for i = 1, n do
        local id = from * 1000000 + i
        local task = aio.create_task(function() channel:send(id) sent[#sent + 1] = id end)
        if math.random(4) == 1 then
          if math.random(2) == 1 then aio.sleep(0) end
          task:cancel()
        end
        pcall(task.await, task)
      end
      done:send(true)
      return sent
    end
    local function consume(s)
      math.randomseed(s)
      local got, over = {}, false
      while not over do
        local task = aio.create_task(function()
          local ok, item = pcall(channel.recv, channel)
          if ok then got[#got + 1] = item
          elseif aio.is(item, aio.QueueShutDown) then over = true
          else error(item, 0) end
        end)
        if math.random(4) == 1 then
          if math.random(2) == 1 then aio.sleep(0) end
          task:cancel()
        end
        pcall(task.await, task)
      end
      return got
    end
    local producers, consumers = {}, {}
    for i = 1, 2 do producers[i] = ex:submit(produce, i, each, math.random(1 << 30)) end
    for i = 1, 2 do consumers[i] = ex:submit(consume, math.random(1 << 30)) end
    local here = aio.create_task(consume, math.random(1 << 30))
    done:recv()
    done:recv()
    channel:close()
    consumers[3] = here
    local sent, got = {}, {}
    for i = 1, 2 do for _, id in ipairs(producers[i]:await()) do sent[id] = true end end
    for i = 1, 3 do
      for _, id in ipairs(consumers[i]:await()) do
        lu.assertNil(got[id], "seed " .. seed)
        got[id] = true
      end
    end
    for id in pairs(sent) do lu.assertTrue(got[id], "lost, seed " .. seed) end
    for id in pairs(got) do lu.assertTrue(sent[id], "not sent, seed " .. seed) end
  end)
end

return T
