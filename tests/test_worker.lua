-- SPDX-License-Identifier: MIT
-- Cancelling what runs in worker threads, what a worker may do to itself, and many calls at once.

local aio = require "aio"
local core = require "aio.core"
local env = require "support.env"
local folder = require "support.folder"
local lu = require "luaunit"
local raised = require("support.tasks").raised_saying

local T = {}

local spin = env.endless()

-- ---- cancellation ----

function T.test_cancelling_the_waiter_cancels_the_task()
  aio.run(function()
    local log = aio.Channel(10)
    local task = aio.create_task(aio.to_thread, function()
      local _ <close> = aio.defer(function() aio.sleep(0) log:send "cleaned up" end)
      log:send "started"
      aio.sleep(3600)
    end)
    lu.assertEquals(log:recv(), "started")
    task:cancel()
    raised(aio.CancelledError, "", task.await, task)
    lu.assertEquals(log:recv(), "cleaned up")
    lu.assertEquals(aio.to_thread(function() return "next" end), "next")
  end)
end

function T.test_a_call_that_has_not_begun_never_does()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    local gate, log = aio.Channel(1), aio.Channel(10)
    local first = ex:submit(gate.recv, gate)
    local second = ex:submit(log.send, log, "second")
    local third = ex:submit(log.send, log, "third")
    second:cancel()
    gate:send(1)
    first:await()
    third:await()
    lu.assertEquals(log:recv(), "third")
    lu.assertEquals(log:qsize(), 0)
  end)
end

local loops = {
  plain = function() spin() end,
  nested = function()
    local co = coroutine.wrap(function() while true do coroutine.yield() end end)
    while true do co() end
  end,
  short_lived = function()
    while true do coroutine.wrap(function() for _ = 1, 10 do end end)() end
  end,
  resumed = function()
    local co = coroutine.create(spin)
    local ok, err = coroutine.resume(co)
    if not ok then error(err, 0) end
  end,
  ours = function()
    aio.coroutine.wrap(spin)()
  end,
  in_a_child = function()
    aio.create_task(spin):await()
  end,
}

for name, fn in pairs(loops) do
  T["test_a_busy_worker_is_stopped_" .. name] = function() -- a loop of this kind
    aio.run(function()
      local ex <close> = aio.Executor { max_workers = 1 }
      local started = aio.Channel(1)
      local future = ex:submit(function() started:send(1) fn() end)
      started:recv()
      future:cancel()
      raised(aio.CancelledError, "", future.await, future)
      lu.assertEquals(ex:submit(function() return "alive" end):await(), "alive")
      lu.assertEquals(core._crew_workers(ex._crew), 1)
    end)
  end
end

function T.test_a_busy_worker_is_stopped_whenever_the_cancellation_comes()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    local turns = tonumber(os.getenv "AIO_TURNS") or 40
    for i = 1, turns do
      local future = ex:submit(spin)
      local until_then = 0 -- from before it is taken to after it has begun
      for n = 1, i * 37 % 2000 do until_then = until_then + n end
      if i % 3 == 0 then aio.sleep(0) end
      future:cancel()
      raised(aio.CancelledError, "", future.await, future)
    end
    lu.assertEquals(ex:submit(function() return "alive" end):await(), "alive")
  end)
end

function T.test_a_stopped_loop_is_one_cancellation()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    local started, log, gate = aio.Channel(1), aio.Channel(5), aio.Channel(1)
    local future = ex:submit(function()
      started:send(1)
      local ok, err = pcall(spin)
      log:send { ok, aio.is(err, aio.CancelledError), aio.current_task():cancelling() }
      log:send(gate:recv()) -- a second one would have come before
    end)
    started:recv()
    future:cancel()
    lu.assertEquals(log:recv(), { false, true, 1 })
    gate:send "went on"
    lu.assertEquals(log:recv(), "went on")
  end)
end

function T.test_a_time_limit_around_a_busy_worker()
  aio.run(function()
    raised(aio.TimeoutError, "", aio.wait_for, function()
      aio.to_thread(spin)
    end, 0.01)
  end)
end

-- ---- what a worker may do to itself ----

function T.test_os_exit_ends_the_call_not_the_process()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    local future = ex:submit(function() os.exit(3) end)
    local err = raised(aio.SystemExit, "3", future.await, future)
    lu.assertEquals(err.code, 3)
    lu.assertEquals(ex:submit(function() return "a new one" end):await(), "a new one")
    local other = ex:submit(function()
      aio.create_task(function() os.exit(4) end)
      aio.sleep(3600)
    end)
    lu.assertEquals(raised(aio.SystemExit, "4", other.await, other).code, 4)
    lu.assertEquals(ex:submit(function() return "again" end):await(), "again")
  end)
end

function T.test_os_exit_does_not_reach_the_call_that_is_next()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    for _ = 1, 20 do
      local gate = aio.Channel(1)
      local first = ex:submit(function() gate:recv() os.exit(5) end)
      local second = ex:submit(function() aio.sleep(0) return "untouched" end)
      gate:send(true)
      lu.assertEquals(raised(aio.SystemExit, "5", first.await, first).code, 5)
      lu.assertEquals(second:await(), "untouched")
    end
  end)
end

function T.test_a_call_that_stops_the_loop_of_its_worker()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    local future = ex:submit(function() aio.get_running_loop():stop() aio.sleep(3600) end)
    raised(aio.RuntimeError, "the worker ended during this call", future.await, future)
    local all = ex:submit(function()
      for _, task in ipairs(aio.all_tasks()) do task:cancel() end
      aio.sleep(3600)
    end)
    lu.assertFalse((pcall(all.await, all)))
    lu.assertEquals(ex:submit(function() return "replaced" end):await(), "replaced")
  end)
end

function T.test_the_memory_limit_ends_the_call_and_the_worker_is_replaced()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1, memory_limit = 16 << 20 }
    local function hoard()
      local t = {}
      for i = 1, 1e9 do t[i] = { i } end
      return t
    end
    for _ = 1, 2 do
      local future, behind = ex:submit(hoard), ex:submit(function() return "behind" end)
      raised(aio.RuntimeError, "memory_limit", future.await, future)
      lu.assertEquals(behind:await(), "behind")
    end
    raised(aio.RuntimeError, "memory", function()
      ex:submit(function() return (("x"):rep(1 << 30)) end):await()
    end)
    lu.assertEquals(ex:submit(function() return #("x"):rep(1 << 20) end):await(), 1 << 20)
  end)
end

-- Only for want of memory may a worker be replaced.
function T.test_an_error_without_a_text_costs_no_state()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    ex:submit(function() _G.kept = "kept" end):await()
    local texts = {
      raises = function() error "no" end,
      raises_itself = function(self) error(self) end,
      no_string = function() return {} end,
      waits = function() require("aio").sleep(0) return "slept" end,
    }
    for name, text in pairs(texts) do
      local future = ex:submit(function(fn) error(setmetatable({}, { __tostring = fn })) end, text)
      raised(aio.RuntimeError, "__tostring", future.await, future)
      lu.assertEquals(ex:submit(function() return _G.kept end):await(), "kept", name)
    end
    local begun = aio.Channel(1)
    local endless = ex:submit(function(fn, ch)
      error(setmetatable({}, { __tostring = function()
        ch:send(true)
        fn()
      end }))
    end, spin, begun)
    begun:recv()
    endless:cancel()
    raised(aio.CancelledError, "", endless.await, endless)
    lu.assertEquals(ex:submit(function() return _G.kept end):await(), "kept")
  end)
end

-- In a process of its own, in which there is no room for the stack of a thread when the only worker
-- ends. What waits in the queue is answered all the same.
function T.test_no_worker_can_take_the_place_of_the_last()
  lu.skipIf(env.valgrind or env.sanitizers ~= "",
    "valgrind and sanitizers need room of their own")
  local text = folder.with(function(dir)
    folder.put(dir .. "/program.lua", [[
      local aio = require "aio"
      aio.run(function()
        local ex = aio.Executor { max_workers = 1, memory_limit = 8 << 20 }
        local gate, hoarded = aio.Channel(1), {}
        local first = ex:submit(function(ch) ch:recv() return ("x"):rep(16 << 20) end, gate)
        local queued = { ex:submit(print, "called"), ex:submit(print, "called") }
        repeat
          local ok, more = pcall(string.rep, "x", 1 << 20)
          hoarded[#hoarded + 1] = ok and more
        until not ok
        gate:send_nowait(1)
        pcall(first.await, first)
        for i, future in ipairs(queued) do
          local _, err = pcall(aio.wait_for, future, 3600)
          queued[i] = tostring(err)
        end
        hoarded = nil
        for _, err in ipairs(queued) do print(err:match "no other could start" or err) end
        print(ex:submit(string.rep, "x", 2):await(), ex:shutdown())
      end)]])
    local pipe = assert(io.popen("ulimit -s 8192; ulimit -v 400000; "
      .. env.command(dir .. "/program.lua 2>&1")))
    local out = pipe:read "a"
    pipe:close()
    return out
  end)
  lu.assertEquals(text, ("no other could start\n"):rep(2) .. "xx\ttrue\n")
end

function T.test_arguments_and_messages_that_do_not_fit_into_the_memory_limit()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1, memory_limit = 8 << 20 }
    local large = ("x"):rep(20 << 20)
    local future = ex:submit(function(s) return #s end, large)
    raised(aio.RuntimeError, "memory_limit", future.await, future)
    local channel = aio.Channel(2)
    channel:send(large)
    channel:send "small"
    local taken = ex:submit(function() return channel:recv() end)
    raised(aio.RuntimeError, "memory_limit", taken.await, taken)
    lu.assertEquals(#channel:recv(), #large) -- nobody got it, so it is still there
    lu.assertEquals(ex:submit(channel.recv, channel):await(), "small")
    local made = ex:submit(function() return ("x"):rep(30 << 20) end)
    raised(aio.RuntimeError, "memory_limit", made.await, made)
    lu.assertEquals(ex:submit(function() return "alive" end):await(), "alive")
  end)
end

function T.test_a_worker_that_catches_everything_ends_with_its_executor()
  aio.run(function()
    local ex, started = aio.Executor { max_workers = 1 }, aio.Channel(1)
    local future = ex:submit(function()
      started:send(true)
      for _ = 1, 3 do pcall(spin) end
      return "at last"
    end)
    started:recv()
    lu.assertFalse(ex:shutdown { timeout = 0.01 })
    lu.assertFalse((pcall(future.await, future)))
    lu.assertTrue(ex:shutdown())
    lu.assertEquals(core._crew_workers(ex._crew), 0)
  end)
end

function T.test_a_worker_may_have_workers()
  aio.run(function()
    lu.assertEquals(aio.to_thread(function()
      return aio.to_thread(function() return aio.to_thread(function() return "deep" end) end)
    end), "deep")
  end)
end

function T.test_a_busy_maker_does_not_hold_its_workers_up()
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 1 }
    local log = aio.Channel(3)
    for i = 1, 3 do ex:submit(log.send, log, i) end
    repeat until log:qsize() == 3 -- without a wait
    lu.assertEquals({ log:recv(), log:recv(), log:recv() }, { 1, 2, 3 })
  end)
end

-- ---- many at once ----

function T.test_many_calls_with_random_cancellation_are_all_accounted_for()
  local seed = tonumber(os.getenv "AIO_SEED") or os.time()
  local calls = tonumber(os.getenv "AIO_CALLS") or 300
  math.randomseed(seed)
  local values, cancelled = 0, 0
  aio.run(function()
    local ex <close> = aio.Executor { max_workers = 3 }
    local counts = aio.Channel(calls * 2)
    local futures = {}
    for i = 1, calls do
      local kind = math.random(4)
      futures[i] = ex:submit(function()
        counts:send_nowait(i)
        if kind == 1 then aio.sleep(0) elseif kind == 2 then aio.sleep(0.001) end
        if kind == 3 then for _ = 1, 10000 do end end
        return i
      end)
      if math.random(3) == 1 then futures[math.random(i)]:cancel() end
      if math.random(10) == 1 then aio.sleep(0) end
    end
    for i, future in ipairs(futures) do
      local ok, v = pcall(future.await, future)
      if ok then
        lu.assertEquals(v, i)
        values = values + 1
      else
        lu.assertTrue(aio.is(v, aio.CancelledError), "seed " .. seed .. ": " .. tostring(v))
        cancelled = cancelled + 1
      end
    end
    ex:shutdown()
    local started = {}
    while counts:qsize() > 0 do
      local i = counts:recv()
      lu.assertNil(started[i], "seed " .. seed)
      started[i] = true
    end
    for i, future in ipairs(futures) do
      if not future:cancelled() then lu.assertTrue(started[i], "seed " .. seed) end
    end
  end)
  lu.assertEquals(values + cancelled, calls, "seed " .. seed)
end

return T
