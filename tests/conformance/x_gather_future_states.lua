-- x_gather_future_states: a gather is a future: callbacks, result, cancel after the end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(n)
  aio.sleep(0)
  return n
end)

aio.run(function()
  local g = aio.gather_future { ok(1), ok(2) }
  g:add_done_callback(function(f)
    say("callback", f:result())
  end)
  say("done", g:done())
  aio.sleep(0.01)
  local list = g:result()
  say("done", g:done(), list, "cancel", g:cancel())
  say(g:await())
end)
