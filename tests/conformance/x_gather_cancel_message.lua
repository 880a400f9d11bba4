-- x_gather_cancel_message: the message of a cancel goes through a gather to its children and back
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local child = aio.async(function(n)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say("child", n, err.message)
    error(err)
  end
end)

local function outer()
  local ok, err = aio.catch(aio.CancelledError, aio.gather, child(1), child(2))
  if not ok then
    say("outer", err.message)
    error(err)
  end
end

aio.run(function()
  local t = aio.create_task(outer)
  aio.sleep(0.01)
  t:cancel("enough")
  local _, err = aio.catch(aio.CancelledError, t.await, t)
  say("main", err.message)
end)
