-- x_timeout_zero_turns: how many turns a scope of zero seconds lets its body go on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function work(s)
  local n = 0
  local ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout(s)
    while true do
      n = n + 1
      aio.sleep(0)
    end
  end)
  if not ok then say("turns", n) end
end

local function work_wait()
  local n = 0
  local ok = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout(0)
    aio.create_task(aio.sleep, 0):await()
    n = 1
    aio.sleep(0)
    n = 2
  end)
  if not ok then say("reached", n) end
end

aio.run(function()
  work(0)
  work(-1)
  work_wait()
  local tm
  do
    local scope <close> = aio.timeout(0)
    tm = scope
  end
  say("no wait", tm:expired())
  local _, e = aio.catch(ValueError, function()
    local scope <close> = aio.timeout(0)
    tm = scope
    error(ValueError("own"))
  end)
  say(e.message, tm:expired())
end)
