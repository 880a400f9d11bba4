-- 414_process_stdin_closed_early: a process that does not read is no error in communicate
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local p = aio.create_subprocess_shell("exec 0<&-; sleep 0.02; echo done",
    { stdin = aio.PIPE, stdout = aio.PIPE })
  local out = p:communicate(("x"):rep(1000000))
  say((out:gsub("%s+$", "")), p.returncode)
end)
