-- 001_hello_sequence: nested awaits run in program order and return values
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function inner(n)
  say("inner", n)
  return n * 2
end

aio.run(function()
  say("start")
  local a = inner(1)
  local b = inner(a)
  say("result", a, b)
end)
