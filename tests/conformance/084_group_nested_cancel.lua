-- 084_group_nested_cancel: cancelling the task unwinds nested groups inside out
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function sleeper(name)
  local _ <close> = aio.defer(say, "unwound", name)
  aio.sleep(10)
end

local function tree()
  do
    local outer <close> = aio.TaskGroup()
    outer:create_task(sleeper, "outer")
    local _ <close> = aio.defer(say, "inner group closed")
    local inner <close> = aio.TaskGroup()
    inner:create_task(sleeper, "inner")
  end
  say("not printed")
end

aio.run(function()
  local t = aio.create_task(tree)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
