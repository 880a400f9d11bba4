-- 182_threadsafe_cancel: cancelling the thread-side future cancels the task in the loop
local aio = require "aio"
local here = arg[0]:gsub("[^/\\]*$", "say.lua")
local say = dofile(here)

local function slow(started)
  say("started")
  started:send(true)
  local ok, err = pcall(aio.sleep, 10)
  if not ok then
    say("task cancelled")
    error(err, 0)
  end
end

local function worker(loop, done)
  local started = aio.Channel(1)
  local f = aio.run_coroutine_threadsafe(slow, loop, started)
  started:recv() -- however busy the machine is
  local ok = pcall(aio.wait_for, aio.shield(f), 0.05)
  if not ok then f:cancel() end
  done:send(true)
end

aio.run(function()
  local done = aio.Channel(1)
  local thread = aio.get_running_loop():run_in_executor(nil, worker, aio.get_running_loop(), done)
  done:recv()
  aio.sleep(0.02)
  thread:await()
  say("end")
end)
