-- x_group_cancel_message: a group whose task is cancelled passes the message on, children get
-- their own
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  local ok, e = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say("child", { e.message })
    error(e)
  end
end

local function work(body)
  local ok, e = aio.catch(aio.CancelledError, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(child)
    if body == "work" then aio.sleep(10) end
  end)
  if not ok then
    say(body, { e.message }, aio.current_task():cancelling())
    error(e)
  end
end

aio.run(function()
  for _, w in ipairs { "work", "work2" } do
    local t = aio.create_task(work, w)
    aio.sleep(0.002)
    t:cancel("stop it")
    local _, e = aio.catch(aio.CancelledError, t.await, t)
    say("main", { e.message })
  end
end)
