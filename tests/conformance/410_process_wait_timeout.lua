-- 410_process_wait_timeout: a timeout on wait leaves the process running
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local p = aio.create_subprocess_exec("sleep", "10")
  if not aio.catch(aio.TimeoutError, aio.wait_for, function() return p:wait() end, 0.02) then
    say("timeout, running", p.returncode == nil)
  end
  p:kill()
  say("signal", -p:wait())
end)
