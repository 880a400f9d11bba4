-- 178_close_running_loop: a running loop cannot be closed
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  if not aio.catch(aio.RuntimeError, loop.close, loop) then
    say("error: loop is running")
  end
  say("running", loop:is_running(), "closed", loop:is_closed())
end)
