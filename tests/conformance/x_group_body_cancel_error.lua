-- x_group_body_cancel_error: a body that is cancelled from outside leaves the group as cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local _ <close> = aio.defer(say, "child unwound")
  aio.sleep(10)
end

local function outer()
  local ok, err = aio.catch(aio.CancelledError, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(child)
    local _ <close> = aio.defer(say, "body unwound")
    aio.sleep(10)
  end)
  if not ok then
    say("cancelled, requests", aio.current_task():cancelling())
    error(err)
  end
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
