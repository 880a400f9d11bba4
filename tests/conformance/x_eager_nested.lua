-- x_eager_nested: an eager task starts another before it waits itself
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  say("enter", n)
  if n < 3 then
    aio.create_task(child, n + 1):await()
  end
  say("leave", n, aio.current_task():done())
end

aio.run(function()
  aio.get_running_loop():set_task_factory(aio.eager_task_factory)
  local t = aio.create_task(child, 1)
  say("done at once", t:done())
  t:await()
end)
