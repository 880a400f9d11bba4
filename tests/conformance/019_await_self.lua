-- 019_await_self: a task that awaits itself gets an error instead of hanging
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function me()
  if not aio.catch(aio.RuntimeError, aio.await, aio.current_task()) then
    say("error: task cannot await itself")
  end
  return "ok"
end

aio.run(function()
  say(aio.create_task(me):await())
end)
