-- 007_task_error_raised_to_every_waiter: a failed task raises the same error for each awaiter
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  aio.sleep(0.01)
  error(ValueError("boom"))
end

local function waiter(name, t)
  local ok, err = aio.catch(ValueError, t.await, t)
  if not ok then
    say(name, "error:", err.message)
  end
end

aio.run(function()
  local t = aio.create_task(bad)
  aio.gather(aio.create_task(waiter, "a", t), aio.create_task(waiter, "b", t))
  waiter("late", t)
end)
