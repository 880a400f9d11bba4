-- SPDX-License-Identifier: MIT
-- Senders and receivers in several threads at one channel, cancelled at random, by themselves and
-- as clauses of aio.select: what was sent is received, once.

local aio = require "aio"

local MOST_THREADS, MOST_MESSAGES, MOST_CAPACITY = 3, 150, 6
local FACTOR = 1000000 -- the number of a message is that of its sender, and its own

-- Messages of all kinds that carry a number.
local function wrap(id)
  local kind = math.random(6)
  if kind == 1 then return { id = id } end
  if kind == 2 then return tostring(id) end
  if kind == 3 then return { ("x"):rep(math.random(5000)), { { id = id } } } end
  if kind == 4 then -- a channel in which it lies, with itself
    local inner = aio.Channel(2)
    inner:send_nowait(id)
    inner:send_nowait(inner)
    return inner
  end
  if kind == 5 then return { id = function() return id end } end
  return id
end

local function unwrap(message)
  if type(message) == "number" then return message end
  if type(message) == "string" then return math.tointeger(tonumber(message)) end
  if type(message) == "userdata" then return message:recv_nowait() end
  if message[2] then return message[2][1].id end
  return type(message.id) == "function" and message.id() or message.id
end

-- Runs fn as a task that may be cancelled at once, or a moment later.
local function harassed(fn)
  local task = aio.create_task(fn)
  if math.random(3) == 1 then
    if math.random(2) == 1 then aio.sleep(math.random(2) == 1 and 0 or 0.0002) end
    task:cancel()
  end
  local ok, err = pcall(task.await, task)
  if not ok and not aio.is(err, aio.CancelledError) then error(err, 0) end
end

-- A send that is cancelled was not made, or has returned.
local function produce(channel, from, n, seed)
  math.randomseed(seed)
  local never, sent = aio.Channel(1), {}
  for i = 1, n do
    local id = from * FACTOR + i
    harassed(function()
      if math.random(3) == 1 then
        aio.select { { channel, "send", wrap(id) }, { never, "recv" } }
      else
        channel:send(wrap(id))
      end
      sent[#sent + 1] = id
    end)
  end
  return sent
end

local function consume(channel, seed)
  math.randomseed(seed)
  local never, got, over = aio.Channel(1), {}, false
  while not over do
    harassed(function()
      local ok, one, two
      if math.random(3) == 1 then
        ok, one, two = pcall(aio.select, { { never, "recv" }, { channel, "recv" } })
        if ok then one = two end
      else
        ok, one = pcall(channel.recv, channel)
      end
      if ok then got[#got + 1] = unwrap(one)
      elseif aio.is(one, aio.QueueShutDown) then over = true
      else error(one, 0) end
    end)
  end
  return got
end

-- Takes the numbers out of `left`; raises for one that is not there.
local function take_off(left, got)
  for _, id in ipairs(got) do
    if not left[id] then error(("message %s came twice, or was never sent"):format(id)) end
    left[id] = nil
  end
end

local function some(n, start)
  local list = {}
  for i = 1, n do list[i] = start(i) end
  return list
end

---One round. Adds to the counts. Raises what is wrong.
return function(counts)
  local channel = aio.Channel(math.random(MOST_CAPACITY))
  local senders, receivers = math.random(MOST_THREADS), math.random(MOST_THREADS)
  local ex <close> = aio.Executor { max_workers = senders + receivers }
  local function seed() return math.random(1 << 30) end
  local from = some(senders, function(i)
    return ex:submit(produce, channel, i, math.random(MOST_MESSAGES), seed())
  end)
  local to = some(receivers, function() return ex:submit(consume, channel, seed()) end)
  if math.random(2) == 1 then -- here as well
    from[#from + 1] = aio.create_task(produce, channel, #from + 1, math.random(MOST_MESSAGES),
      seed())
  end
  if math.random(2) == 1 then to[#to + 1] = aio.create_task(consume, channel, seed()) end
  local left, sent, received = {}, 0, 0
  for _, one in ipairs(from) do
    for _, id in ipairs(one:await()) do
      left[id] = true
      sent = sent + 1
    end
  end
  channel:close()
  for _, one in ipairs(to) do
    local got = one:await()
    take_off(left, got)
    received = received + #got
  end
  if next(left) then error(("message %s was lost"):format(next(left))) end
  counts.sent = (counts.sent or 0) + sent
  counts.received = (counts.received or 0) + received
end
