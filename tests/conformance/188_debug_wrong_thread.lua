-- 188_debug_wrong_thread: loop calls from a wrong thread are caught (here always, not only in debug
-- mode: what a thread has of another one's loop is a handle)
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function worker(loop)
  local ok, err = pcall(function() loop:call_soon(print, "not printed") end)
  return not ok and aio.is(err, aio.RuntimeError) and "error: wrong thread"
end

aio.run(function()
  say(aio.to_thread(worker, aio.get_running_loop()))
end)
