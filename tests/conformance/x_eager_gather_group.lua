-- x_eager_gather_group: gather and a group under the eager factory: what has run when they begin
-- to wait
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function step(n, turns)
  say("start", n)
  for _ = 1, turns do aio.sleep(0) end
  say("end", n)
  return n
end

aio.run(function()
  aio.get_running_loop():set_task_factory(aio.eager_task_factory)
  local s = aio.async(step)
  say(aio.gather { s(1, 0), s(2, 1), s(3, 0) })
  do
    local tg <close> = aio.TaskGroup()
    local a = tg:create_task(step, 4, 0)
    say("in body", a:done())
    local b = tg:create_task(step, 5, 1)
    say("in body", b:done())
  end
  local d, p = aio.wait { aio.create_task(step, 6, 0) }
  say(#d, #p)
  say(aio.wait_for(function() return step(7, 1) end, 1))
end)
