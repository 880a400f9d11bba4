-- 015_run_cancels_leftovers: tasks still alive when main ends are cancelled and awaited
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function background(name)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say(name, "cancelled")
    aio.sleep(0.01)
    say(name, "cleaned")
    error(err)
  end
end

aio.run(function()
  aio.create_task(background, "bg")
  aio.sleep(0)
  say("main ends")
end)
say("after run")
