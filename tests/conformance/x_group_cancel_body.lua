-- x_group_cancel_body: cancelling a task inside its group's body cancels the children first
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    aio.sleep(0.002 * n)
    say("child", n, "cleaned")
    error(err, 0)
  end
end

local function worker()
  local ok, err = aio.catch(aio.CancelledError, aio.TaskGroup, function(g)
    g:create_task(child, 2)
    g:create_task(child, 1)
    aio.sleep(10)
  end)
  if not ok then
    say("worker cancelled after its children")
    error(err, 0)
  end
end

aio.run(function()
  local t = aio.create_task(worker)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
