-- 400_process_output: output and exit code
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local p = aio.create_subprocess_exec("sh", "-c", "echo hello; exit 3", { stdout = aio.PIPE })
  local out, err = p:communicate()
  say("out", (out:gsub("%s+$", "")), "err", err, "code", p.returncode)
end)
