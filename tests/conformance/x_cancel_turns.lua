-- x_cancel_turns: turns from cancelling a task in gather in wait to its end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  local _ <close> = aio.defer(say, "out", n)
  aio.sleep(10)
end

local function parent()
  local _ <close> = aio.defer(say, "parent out")
  aio.wait { aio.create_task(child, 1) }
end

local function group()
  local _ <close> = aio.defer(say, "group out")
  local tg <close> = aio.TaskGroup()
  tg:create_task(child, 2)
  tg:create_task(child, 3)
end

aio.run(function()
  for _, f in ipairs { parent, group } do
    local t = aio.create_task(f)
    aio.sleep(0)
    aio.sleep(0)
    t:cancel()
    for i = 0, 4 do
      say("turn", i, t:done())
      aio.sleep(0)
    end
    say(t:cancelled())
  end
end)
