-- 468_supervisor_restart: a supervisor restarts a crashing child up to a limit
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local starts = 0
  local function child()
    starts = starts + 1
    aio.sleep(0.001)
    error(aio.RuntimeError("crash " .. starts))
  end
  for _ = 1, 3 do
    local t = aio.create_task(child)
    local ok, err = aio.catch(aio.RuntimeError, t.await, t)
    if not ok then
      say("restarting after", err.message)
    end
  end
  say("gave up after", starts)
end)
