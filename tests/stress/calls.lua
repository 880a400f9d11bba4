-- SPDX-License-Identifier: MIT
-- Calls of all kinds into workers, cancelled at random: each is answered once, begins at most once,
-- and one that was not cancelled has the outcome that it is to have.

local aio = require "aio"
local core = require "aio.core"
local env = require "support.env"

local spin = env.endless()

local MOST_CALLS, MOST_WORKERS, LIMIT = 60, 4, 24 << 20

-- What a call does in its worker, and what comes of it when nobody cancels it: a value (the number
-- of the call, or what `of` makes of it) or an error with this word in it.
local kinds = {
  { run = function(i) return i end },
  { run = function(i) aio.sleep(0) return i end },
  { run = function(i) aio.sleep(0.001) return i end },
  { run = function(i) for _ = 1, 20000 do end return i end },
  { run = function(i) error("raised by " .. i) end, error = "raised by" },
  { run = function(i) return aio.to_thread(function(x) return x end, i) end },
  { run = function(i)
    local task = aio.create_task(function() aio.sleep(0) return i end)
    return task:await()
  end },
  { run = function(i) return (#(("x"):rep(100000) .. i)) end, of = function(i)
    return 100000 + #tostring(i)
  end },
  { run = function(i, back) -- into the loop of the caller, and back again
    return aio.run_coroutine_threadsafe(function(x) aio.sleep(0) return x end, back, i):await()
  end },
  { run = function() error(coroutine.create(print)) end, error = "cannot cross" },
  { run = function() return io.stdout end, error = "cannot cross" },
  -- rarely: these end their worker
  { run = function() os.exit(1) end, error = "SystemExit", rare = true },
  { run = function()
    local t = {}
    while true do t[#t + 1] = ("x"):rep(1000) .. #t end
  end, error = "memory", rare = true },
  -- only if it is cancelled
  { run = function() spin() end, endless = true },
  { run = function() aio.sleep(3600) end, endless = true },
}

for i, kind in ipairs(kinds) do kind.number = i end

local function pick()
  local kind = kinds[math.random(#kinds)]
  if kind.rare and math.random(10) > 1 then return pick() end
  return kind
end

-- In the worker: tells that it has begun.
local function call(run, i, begun, back)
  begun:send_nowait(i)
  return run(i, back)
end

local function cancel_some(calls)
  for _ = 1, math.random(0, 3) do
    local one = calls[math.random(#calls)]
    one.cancelled = one.future:cancel() or one.cancelled
  end
end

-- Is the outcome one that the call may have? A worker that ends takes nothing with it but its call.
local function check(one, ok, value)
  local text = tostring(value)
  if not ok and one.cancelled and aio.is(value, aio.CancelledError) then return "cancelled" end
  if ok and not one.kind.error and value == (one.kind.of or math.tointeger)(one.i) then
    return "returned"
  end
  if not ok and one.kind.error and (text:find(one.kind.error, 1, true)
      or aio.is(value, aio.SystemExit)) then
    return "raised"
  end
  error(("call %d (kind %d, %s): %s"):format(one.i, one.kind.number,
    one.cancelled and "cancelled" or "not cancelled", text))
end

local function begun_twice(begun)
  local seen = {}
  while begun:qsize() > 0 do
    local i = begun:recv()
    if seen[i] then error(("call %d began twice"):format(i)) end
    seen[i] = true
  end
  return seen
end

---One round. Adds to the counts. Raises what is wrong.
return function(counts)
  local ex <close> = aio.Executor {
    max_workers = math.random(MOST_WORKERS), memory_limit = LIMIT,
  }
  local n, back = math.random(MOST_CALLS), aio.get_running_loop()
  local begun, calls = aio.Channel(n), {}
  for i = 1, n do
    local kind = pick()
    calls[i] = { i = i, kind = kind, future = ex:submit(call, kind.run, i, begun, back) }
    if math.random(3) == 1 then cancel_some(calls) end
    if math.random(8) == 1 then aio.sleep(math.random(2) == 1 and 0 or 0.0005) end
  end
  for _, one in ipairs(calls) do
    if one.kind.endless then
      if math.random(2) == 1 then aio.sleep(0) end
      one.cancelled = one.future:cancel() or one.cancelled
    end
  end
  for _, one in ipairs(calls) do
    local outcome = check(one, pcall(one.future.await, one.future))
    counts[outcome] = (counts[outcome] or 0) + 1
  end
  ex:shutdown()
  local seen = begun_twice(begun)
  for _, one in ipairs(calls) do
    if not one.cancelled and not seen[one.i] then error(("call %d never began"):format(one.i)) end
  end
  counts.calls = (counts.calls or 0) + n
  if core._crew_workers(ex._crew) > 0 then error "a worker is left" end
end
