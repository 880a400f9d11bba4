-- x_leftovers_swallow: a leftover that swallows its cancel still runs to its end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function stubborn()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    say("ignored")
  end
  aio.sleep(0.01)
  say("ends in peace")
end

aio.run(function()
  aio.create_task(stubborn)
  aio.sleep(0)
  say("main ends")
end)
