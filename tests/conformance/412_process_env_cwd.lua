-- 412_process_env_cwd: environment and working directory
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local p = aio.create_subprocess_shell("echo $WHO; pwd",
    { stdout = aio.PIPE, env = { WHO = "me", PATH = "/usr/bin:/bin" }, cwd = "/" })
  local words = {}
  for word in p:communicate():gmatch "%S+" do words[#words + 1] = word end
  say(words)
end)
