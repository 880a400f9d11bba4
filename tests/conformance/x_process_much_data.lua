-- x_process_much_data: a megabyte through a process both ways, and lines over the limit
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local P = aio.PIPE
  local p = aio.create_subprocess_exec("cat", { stdin = P, stdout = P })
  local data = ("0123456789abcdef"):rep(65536)
  local out = p:communicate(data)
  say(#out, out == data)
  p = aio.create_subprocess_shell("printf '%0100d\\nok\\n' 5", { stdout = P, limit = 20 })
  if not aio.catch(aio.LimitOverrunError, p.stdout.readline, p.stdout) then say("line too long") end
  say(p.stdout:read "l")
  say(p.stdout:read "a" == "", p:wait())
end)
