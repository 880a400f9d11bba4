-- 044_cancel_gather_child: a cancelled child makes gather raise cancelled; siblings go on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  aio.sleep(0.03)
  say("child", n, "finished")
  return n
end

aio.run(function()
  local a = aio.create_task(child, 1)
  local b = aio.create_task(child, 2)
  aio.sleep(0)
  local g = aio.gather_future(a, b)
  a:cancel()
  if not aio.catch(aio.CancelledError, g.await, g) then
    say("gather raised cancelled; gather flag", g:cancelled())
  end
  say("own requests", aio.current_task():cancelling())
  say("b", b:await())
end)
