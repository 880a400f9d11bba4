-- x_wait_then_cancel_rest: the first wins, the rest is cancelled and awaited
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local racer = aio.async(function(name, delay)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, delay)
  if not ok then
    aio.sleep(0)
    say("loser", name)
    error(err)
  end
  return name
end)

aio.run(function()
  local a, b, c = racer("a", 5), racer("b", 0.01), racer("c", 5)
  local done, pending = aio.wait({ a, b, c }, { return_when = aio.FIRST_COMPLETED })
  for _, t in ipairs(pending) do
    t:cancel()
  end
  aio.wait(pending)
  say("winner", done[1]:result(), { a:cancelled(), b:cancelled(), c:cancelled() })
end)
