-- x_group_create_after_abort: a cancelled child cannot start more work once the group is shutting
-- down
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function failing()
  aio.sleep(0)
  error(ValueError("x"))
end

local function other() say("never") end

local function refused(tg, what)
  if not aio.catch(aio.RuntimeError, tg.create_task, tg, other) then say(what) end
end

local function child(tg)
  local _ <close> = aio.defer(refused, tg, "refused")
  aio.sleep(10)
end

aio.run(function()
  local tg
  local _, eg = aio.catch_group(ValueError, function()
    local g <close> = aio.TaskGroup()
    tg = g
    tg:create_task(child, tg)
    tg:create_task(failing)
    local _ <close> = aio.defer(refused, tg, "body refused")
    aio.sleep(10)
  end)
  say("errors", #eg.errors)
  refused(tg, "finished refused")
end)
