-- 156_gather_error_then_cancel_rest: the usual pattern: cancel the rest after the first error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  aio.sleep(0.01)
  error(ValueError("boom"))
end

local function slow(n)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say("slow", n, "cancelled")
    error(err)
  end
end

aio.run(function()
  local tasks = { aio.create_task(slow, 1), aio.create_task(bad), aio.create_task(slow, 2) }
  local ok, err = aio.catch(ValueError, aio.gather, tasks)
  if not ok then
    say("error:", err.message)
    for _, t in ipairs(tasks) do
      t:cancel()
    end
    aio.gather(tasks, { return_exceptions = true })
  end
  local cancelled = {}
  for i, t in ipairs(tasks) do
    cancelled[i] = t:cancelled()
  end
  say(cancelled)
end)
