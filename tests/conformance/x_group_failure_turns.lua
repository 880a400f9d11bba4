-- x_group_failure_turns: in which turn the siblings, the body and the group end after an error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function fail()
  aio.sleep(0)
  say("fail")
  error(ValueError("x"))
end

local function sib(n)
  local _ <close> = aio.defer(say, "sib out", n)
  aio.sleep(10)
end

local function work()
  aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(sib, 1)
    tg:create_task(fail)
    local _ <close> = aio.defer(say, "body out")
    aio.sleep(10)
  end)
  say("group out")
end

aio.run(function()
  local t = aio.create_task(work)
  for i = 0, 7 do
    say("turn", i)
    aio.sleep(0)
  end
  t:await()
end)
