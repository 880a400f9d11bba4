-- x_gather_cancel_waits_for_cleanup: a cancelled gather that returns errors waits until all
-- children have ended
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local child = aio.async(function(n)
  local _ <close> = aio.defer(function()
    aio.sleep(0.01 * n)
    say("child", n, "unwound")
  end)
  aio.sleep(10)
end)

local function outer()
  local _ <close> = aio.defer(say, "gather left")
  aio.gather({ child(2), child(1) }, { return_exceptions = true })
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
