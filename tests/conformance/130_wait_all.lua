-- 130_wait_all: wait returns when all are done, errors are not raised
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function ok(n)
  aio.sleep(0.01)
  return n
end

local function bad()
  error(ValueError("boom"))
end

aio.run(function()
  local tasks = { aio.create_task(ok, 1), aio.create_task(bad) }
  local done, pending = aio.wait(tasks)
  say("done", #done, "pending", #pending)
  say("error:", tasks[2]:exception().message)
end)
