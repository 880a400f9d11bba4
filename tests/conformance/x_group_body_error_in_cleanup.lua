-- x_group_body_error_in_cleanup: a body whose cleanup raises adds its error after those of the
-- children
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local KeyError = aio.Error:extend("KeyError")
local function fail(n)
  aio.sleep(0)
  error(ValueError("child " .. n))
end

aio.run(function()
  local _, eg = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(fail, 1)
    tg:create_task(fail, 2)
    if not aio.catch(aio.CancelledError, aio.sleep, 10) then
      say("body interrupted", aio.current_task():cancelling())
      error(KeyError("body"))
    end
  end)
  local list = {}
  for i, e in ipairs(eg.errors) do list[i] = e.message end
  say(list)
  say(aio.current_task():cancelling())
  aio.sleep(0)
  say("goes on")
end)
