-- x_cancel_self_ends: a task that cancels itself and ends, raises, or waits for a done future
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function ends()
  aio.current_task():cancel()
  return 1
end

local function raises()
  aio.current_task():cancel()
  error(ValueError("boom"))
end

local function waits_done()
  local f = aio.get_running_loop():create_future()
  f:set_result(5)
  aio.current_task():cancel()
  say("value", f:await())
  if not aio.catch(aio.CancelledError, aio.sleep, 0) then say("at the real wait") end
  return "lives"
end

aio.run(function()
  for _, f in ipairs { { "ends", ends }, { "raises", raises }, { "waits_done", waits_done } } do
    local t = aio.create_task(f[2])
    aio.wait { t }
    local last
    if not t:cancelled() then last = t:exception() and t:exception().message or t:result() end
    say(f[1], t:cancelled(), t:cancelling(), last)
  end
end)
