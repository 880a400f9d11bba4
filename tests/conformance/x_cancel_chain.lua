-- x_cancel_chain: a cancel goes down to the innermost task and comes back up
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function level(n)
  local _ <close> = aio.defer(say, "cleanup", n)
  local ok, err = aio.catch(aio.CancelledError, function()
    if n == 3 then
      aio.sleep(10)
    else
      aio.create_task(level, n + 1):await()
    end
  end)
  if not ok then
    say("level", n, { err.message })
    error(err, 0)
  end
end

aio.run(function()
  local t = aio.create_task(level, 0)
  aio.sleep(0.01)
  t:cancel("stop it")
  local ok, err = aio.catch(aio.CancelledError, t.await, t)
  if not ok then
    say("main sees", { err.message })
  end
  say("cancelled", t:cancelled())
end)
