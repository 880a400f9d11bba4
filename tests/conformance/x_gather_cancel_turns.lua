-- x_gather_cancel_turns: how many turns a cancelled gather takes with children that end at once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n)
  local _ <close> = aio.defer(say, "out", n)
  aio.sleep(10)
end

local function parent()
  local ok, e = aio.catch(aio.CancelledError, function()
    aio.gather(aio.create_task(child, 1), aio.create_task(child, 2))
  end)
  if not ok then
    say("parent", { e.message })
    error(e)
  end
end

aio.run(function()
  local t = aio.create_task(parent)
  aio.sleep(0)
  aio.sleep(0)
  t:cancel("bye")
  for i = 0, 4 do
    say("turn", i, t:done())
    aio.sleep(0)
  end
  say(t:done())
end)
