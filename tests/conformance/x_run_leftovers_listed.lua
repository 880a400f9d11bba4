-- x_run_leftovers_listed: main fails, leftovers are cancelled and awaited before run raises
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function left()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    local list = {}
    for i, t in ipairs(aio.all_tasks()) do list[i] = t:get_name() end
    say("left cancelled", list)
    aio.sleep(0.002)
    say("left cleaned")
  end
end

local _, e = aio.catch(ValueError, aio.run, function()
  aio.create_task_with({ name = "left" }, left)
  aio.get_running_loop():call_later(10, say, "never")
  aio.sleep(0)
  error(ValueError("main failed"))
end)
say("error", e.message)
if not aio.catch(aio.RuntimeError, aio.get_running_loop) then say("no loop") end
