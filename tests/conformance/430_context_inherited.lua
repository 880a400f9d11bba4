-- 430_context_inherited: a task copies the context at creation
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "default" })

local function child(n)
  say(n, "sees", var:get())
  var:set(n)
  aio.sleep(0)
  say(n, "now", var:get())
end

aio.run(function()
  say(var:get())
  var:set("main")
  local a = aio.create_task(child, "a")
  var:set("changed")
  local b = aio.create_task(child, "b")
  aio.gather(a, b)
  say("main still", var:get())
end)
