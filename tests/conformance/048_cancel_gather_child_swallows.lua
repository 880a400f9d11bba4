-- 048_cancel_gather_child_swallows: a child that swallows the cancel keeps gather cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function stubborn()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("swallowed")
    return "kept"
  end
end

aio.run(function()
  local s = aio.create_task(stubborn)
  local t = aio.create_task(aio.gather, s)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("outer cancelled", t:cancelled(), "child result", s:result())
end)
