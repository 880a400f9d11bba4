-- 466_heartbeat_watchdog: a watchdog fires when heartbeats stop
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local beat = aio.Event()
  local function heart()
    for _ = 1, 3 do
      aio.sleep(0.01)
      beat:set()
    end
  end
  local function watchdog()
    local n = 0
    while aio.catch(aio.TimeoutError, aio.timeout, 0.1, beat.wait, beat) do
      beat:clear()
      n = n + 1
    end
    say("no heartbeat after", n)
  end
  aio.gather(heart, watchdog)
end)
