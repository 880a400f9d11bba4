-- 404_process_terminate_trap: terminate can be handled by the child
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local p = aio.create_subprocess_shell(
    "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done", { stdout = aio.PIPE })
  say(p.stdout:read "l")
  p:terminate()
  say(p.stdout:read "l")
  say("code", p:wait())
end)
