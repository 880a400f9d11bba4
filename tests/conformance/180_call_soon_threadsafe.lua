-- 180_call_soon_threadsafe: another thread wakes the loop (here the loop's own thread: a Lua
-- state has one; the posts of C threads are tested with the interface for hosts)
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  loop:call_soon_threadsafe(f.set_result, f, "from thread")
  say(f:await())
end)
