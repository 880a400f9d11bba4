-- x_condition_timeout: a wait that times out holds the lock again
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local cond = aio.Condition()
  do
    local _ <close> = cond:acquire()
    if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, cond.wait, cond) then
      say("timeout, locked", cond:locked())
    end
    local function never()
      return false
    end
    if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, cond.wait_for, cond, never) then
      say("timeout again, locked", cond:locked())
    end
    local function answer()
      return 42
    end
    say("true at once", cond:wait_for(answer))
  end
  say("locked", cond:locked())
end)
