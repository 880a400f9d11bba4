-- 406_process_not_found: a missing program fails at start
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local ok, err = aio.catch(aio.OSError, aio.create_subprocess_exec, "/no/such/program")
  if not ok and err.code == "ENOENT" then say("error: not found") end
  local p = aio.create_subprocess_shell "/no/such/program 2>/dev/null"
  say("shell code", p:wait())
end)
