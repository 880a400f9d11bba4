-- x_condition_cancel: a cancelled wait takes the lock back before it raises
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local cond = aio.Condition()
  local t = aio.create_task(function()
    local _ <close> = cond:acquire()
    local ok, err = aio.catch(aio.CancelledError, cond.wait, cond)
    if not ok then
      say("cancelled, locked", cond:locked())
      error(err, 0)
    end
  end)
  aio.sleep(0)
  cond:acquire()
  t:cancel()
  aio.sleep(0.01)
  say("waiter done while main holds the lock", t:done())
  cond:release()
  aio.wait { t }
  say("cancelled", t:cancelled(), "locked", cond:locked())
end)
