-- 056_cancel_in_finally_await: after a cancel is delivered, awaits in cleanup work normally
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local _ <close> = aio.defer(function()
    say("flush start")
    aio.sleep(0.01)
    say("flush end")
  end)
  aio.sleep(10)
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
