-- x_timeout_reschedule: a deadline moved forward and back; what the scope tells
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local scope = aio.timeout(0.01)
  scope:run(function()
    scope:reschedule(loop:time() + 10)
    aio.sleep(0.03)
    say("still inside, expired", scope:expired())
  end)
  say("expired", scope:expired())
  scope = aio.timeout(10)
  local ok = aio.catch(aio.TimeoutError, scope.run, scope, function()
    scope:reschedule(loop:time() + 0.01)
    aio.sleep(5)
  end)
  if not ok then
    say("timeout, expired", scope:expired())
  end
  do
    local none <close> = aio.timeout(nil)
    say("no deadline", none:when())
  end
  ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout_at(loop:time() - 1)
    aio.sleep(5)
    say("never")
  end)
  if not ok then
    say("already over")
  end
end)
