-- x_shield_of_shield: shield in shield, and a shield of a done, failed and cancelled task
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function work(n)
  local ok, err = aio.catch(aio.CancelledError, function()
    aio.sleep(0.01)
    say("work done", n)
  end)
  if not ok then
    say("work cancelled", n)
    error(err)
  end
  return n
end

local function bad() error(ValueError("bad")) end

aio.run(function()
  local t = aio.create_task(work, 1)
  local s = aio.shield(t)
  local s2 = aio.shield(s)
  aio.sleep(0)
  s2:cancel()
  aio.sleep(0)
  say(s2:cancelled(), s:cancelled(), t:cancelled())
  s:cancel()
  aio.sleep(0)
  say(s:cancelled(), t:cancelled(), t:done())
  say(t:await())
  say("same object", aio.shield(t) == t)
  local b = aio.create_task(bad)
  aio.wait { b }
  local _, err = aio.catch(ValueError, function() aio.shield(b):await() end)
  say("error", err.message)
  local c = aio.create_task(work, 2)
  s = aio.shield(c)
  aio.sleep(0)
  c:cancel()
  say(s:done())
  aio.sleep(0)
  say(c:done(), s:done())
  aio.sleep(0)
  say(c:done(), s:done(), s:cancelled())
end)
