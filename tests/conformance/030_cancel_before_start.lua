-- 030_cancel_before_start: a task cancelled before its first step never runs its body
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local t = aio.create_task(say, "body")
  say("cancel accepted", t:cancel())
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("cancelled")
  end
  say("cancelled flag", t:cancelled(), "done", t:done())
end)
