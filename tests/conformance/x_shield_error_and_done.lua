-- x_shield_error_and_done: a shield passes errors and finished results through
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad()
  error(ValueError("boom"))
end

local function quick()
  return "value"
end

aio.run(function()
  local _, err = aio.catch(ValueError, aio.await, aio.shield(bad))
  say("error:", err.message)
  local t = aio.create_task(quick)
  t:await()
  say(aio.shield(t):await())
end)
