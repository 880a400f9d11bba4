-- x_process_communicate_timeout: communicate cut off by a timeout, the process killed, its output
-- read
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local P = aio.PIPE
  local p = aio.create_subprocess_shell("echo first; exec sleep 30", { stdout = P, stdin = P })
  if not aio.catch(aio.TimeoutError, aio.wait_for, function() p:communicate() end, 0.2) then
    say("timeout", p.returncode)
  end
  p:kill()
  say(p:wait())
  say(p.returncode)
end)
