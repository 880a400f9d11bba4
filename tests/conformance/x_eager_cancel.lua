-- x_eager_cancel: an eager task that waits is cancelled like any other
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  say("child starts")
  local _ <close> = aio.defer(say, "child unwound")
  aio.sleep(10)
end

aio.run(function()
  local t = aio.create_task_with({ eager_start = true }, child)
  t:cancel()
  say("asked")
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
