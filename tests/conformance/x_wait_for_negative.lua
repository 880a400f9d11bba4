-- x_wait_for_negative: a negative timeout returns finished work only
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick()
  return "done"
end

aio.run(function()
  local t = aio.create_task(quick)
  t:await()
  say(aio.wait_for(t, -1))
  local f = aio.get_running_loop():create_future()
  if not aio.catch(aio.TimeoutError, aio.wait_for, f, -1) then
    say("timeout, cancelled", f:cancelled())
  end
end)
