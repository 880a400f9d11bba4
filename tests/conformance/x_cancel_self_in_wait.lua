-- x_cancel_self_in_wait: a task that cancels itself gets the cancel at its next wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  say("cancel", aio.current_task():cancel())
  say("still here")
  local _ <close> = aio.defer(say, "unwound")
  aio.sleep(0)
  say("not printed")
end

aio.run(function()
  local t = aio.create_task(child)
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
