-- x_gather_cancel_too_late: a gather whose children have all ended cannot be cancelled any more
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local quick = aio.async(function(n)
  return n
end)

aio.run(function()
  local a, b = quick(1), quick(2)
  local g = aio.gather_future { a, b }
  aio.get_running_loop():call_soon(function()
    say("children done", a:done() and b:done(), "cancel", g:cancel())
  end)
  say(g:await())
  say("cancelled", g:cancelled())
end)
