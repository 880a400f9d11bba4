-- x_eager_cancel_inside: an eager task that cancels itself, its creator, and is cancelled before
-- its second step
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function self_cancel()
  aio.current_task():cancel("self")
  local ok, e = aio.catch(aio.CancelledError, aio.sleep, 0)
  if not ok then
    say("self got", { e.message })
    error(e)
  end
end

local function cancel_creator(t)
  t:cancel("creator")
  say("asked")
end

local function waits()
  local ok, e = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say("waits got", { e.message })
    error(e)
  end
end

aio.run(function()
  aio.get_running_loop():set_task_factory(aio.eager_task_factory)
  local t = aio.create_task(self_cancel)
  say(t:done())
  aio.wait { t }
  say(t:cancelled())
  local function creator()
    aio.create_task(cancel_creator, aio.current_task())
    say("goes on")
    local ok, e = aio.catch(aio.CancelledError, aio.sleep, 0)
    if not ok then say("creator got", { e.message }) end
  end
  aio.create_task(creator):await()
  t = aio.create_task(waits)
  t:cancel("early")
  aio.wait { t }
  say(t:cancelled())
end)
