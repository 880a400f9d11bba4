-- 452_runner_context_shared: values set in one run are seen in the next
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "none" })

do
  local r <close> = aio.Runner()
  r:run(var.set, var, "kept")
  say(r:run(var.get, var))
end
say("outside", var:get())
