-- x_timeout_same_task_again: after a timeout the task waits as usual, also in new scopes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  for n = 1, 2 do
    if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, aio.sleep, 10) then
      say("timeout", n)
    end
  end
  aio.sleep(0.01)
  say("requests", aio.current_task():cancelling())
end)
