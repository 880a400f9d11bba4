-- 260_queue_get_timeout: a timed-out get takes nothing
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  local function get()
    return q:get()
  end
  if not aio.catch(aio.TimeoutError, aio.wait_for, get, 0.01) then
    say("timeout")
  end
  q:put_nowait("x")
  aio.sleep(0.01)
  say("left", q:qsize(), q:get())
end)
