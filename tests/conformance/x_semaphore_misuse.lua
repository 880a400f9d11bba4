-- x_semaphore_misuse: bad start values, releasing a bounded one too often, growing a plain one
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  if not pcall(aio.Semaphore, -1) then
    say("error: negative")
  end
  local b = aio.BoundedSemaphore(2)
  b:acquire()
  b:release()
  if not aio.catch(aio.RuntimeError, b.release, b) then
    say("error: released too often")
  end
  local s = aio.Semaphore(1)
  s:release()
  s:acquire()
  say("locked", s:locked())
  s:acquire()
  say("locked", s:locked())
end)
