-- x_wait_timeout_zero: wait with no time returns what is done after a turn, cancels nothing
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick(n) return n end

aio.run(function()
  local t = aio.create_task(quick, 1)
  local s = aio.create_task(aio.sleep, 10)
  local d, p = aio.wait({ t, s }, { timeout = 0 })
  say(#d, #p)
  d, p = aio.wait({ t, s }, { timeout = 0.002, return_when = aio.ALL_COMPLETED })
  say(#d, #p, s:cancelled())
  d, p = aio.wait({ t, s }, { return_when = aio.FIRST_COMPLETED })
  say(d[1] == t, p[1] == s)
  s:cancel()
  d, p = aio.wait { s }
  say(#d, #p, s:cancelled())
  if not pcall(aio.wait, {}) then say("error: empty") end
  if not pcall(aio.wait, { t }, { return_when = "SOMETIMES" }) then say("error: mode") end
end)
