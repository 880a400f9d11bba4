-- 120_wait_for_result: wait_for passes results and errors through
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function good()
  aio.sleep(0.01)
  return "ok"
end

local function bad()
  error(ValueError("boom"))
end

aio.run(function()
  say(aio.wait_for(good, 1))
  say(aio.wait_for(good, nil))
  local _, err = aio.catch(ValueError, aio.wait_for, bad, 1)
  say("error:", err.message)
end)
