-- x_shield_outer: cancelling the waiter of a shield leaves the inner task alone
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local t = aio.create_task(function()
    aio.sleep(0.02)
    say("inner finished")
    return 7
  end)
  local w = aio.create_task(function()
    local ok, err = aio.catch(aio.CancelledError, aio.await, aio.shield(t))
    if not ok then
      say("waiter cancelled, inner done", t:done())
      error(err, 0)
    end
  end)
  aio.sleep(0.005)
  w:cancel()
  aio.wait { w }
  say("cancelled", w:cancelled(), t:cancelled())
  say(t:await())
  say("shield of a finished task", aio.shield(t):await())
end)
