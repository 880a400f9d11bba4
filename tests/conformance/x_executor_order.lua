-- x_executor_order: one worker runs jobs in order; a cancelled queued job never runs
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local KeyError = aio.Error:extend("KeyError")
aio.run(function()
  local loop = aio.get_running_loop()
  local ex = aio.Executor { max_workers = 1 }
  local function job(n)
    aio.sleep(0.02)
    return n
  end
  local fs = {}
  for i = 0, 2 do fs[i + 1] = loop:run_in_executor(ex, job, i) end
  aio.sleep(0.005)
  say(fs[3]:cancel(), fs[3]:cancelled())
  say(fs[1]:await(), fs[2]:await())
  local function bad() error(KeyError("bad")) end
  local f = loop:run_in_executor(ex, bad)
  local _, e = aio.catch(KeyError, f.await, f)
  say("error", e.message, f:exception() == e)
  ex:shutdown()
  local ok = aio.catch(aio.RuntimeError, function() loop:run_in_executor(ex, job, 1):await() end)
  if not ok then say("shut down") end
end)
