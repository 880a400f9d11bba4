-- x_group_body_awaits_cancelled_child: a cancelled child that the body awaits ends the group as
-- cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(name)
  local _ <close> = aio.defer(say, "unwound", name)
  aio.sleep(10)
end

aio.run(function()
  local ok = aio.catch(aio.CancelledError, aio.TaskGroup, function(tg)
    local a = tg:create_task(child, "a")
    tg:create_task(child, "b")
    aio.sleep(0)
    a:cancel()
    a:await()
  end)
  if not ok then
    say("cancelled; own requests", aio.current_task():cancelling())
  end
end)
