-- 408_process_interactive: a dialogue over pipes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local p = aio.create_subprocess_shell("while read l; do echo got $l; done; echo end",
    { stdin = aio.PIPE, stdout = aio.PIPE })
  for _, w in ipairs { "a", "b" } do
    p.stdin:write(w .. "\n")
    p.stdin:drain()
    say(p.stdout:read "l")
  end
  p.stdin:close()
  say(p.stdout:read "l", p:wait())
end)
