-- x_group_ends_with_error: children that end in the turn of the error keep their results
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function ok(n)
  aio.sleep(0)
  return n
end

local function bad()
  aio.sleep(0)
  error(ValueError("bad"))
end

local function late()
  aio.sleep(0)
  aio.sleep(0)
  say("late goes on")
  aio.sleep(0)
  say("late never")
end

aio.run(function()
  local ts = {}
  local _, eg = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    ts[1] = tg:create_task(ok, 1)
    tg:create_task(bad)
    ts[2] = tg:create_task(ok, 2)
    ts[3] = tg:create_task(late)
  end)
  say(#eg.errors)
  say({ ts[1]:cancelled(), ts[2]:cancelled(), ts[3]:cancelled() }, ts[1]:result(), ts[2]:result())
end)
