-- x_eager_context: an eager task runs in a copy of the context of its creator
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "none" })

local function child()
  say("child sees", var:get())
  var:set("child")
  aio.sleep(0)
  say("child keeps", var:get())
end

aio.run(function()
  var:set("main")
  local t = aio.create_task_with({ eager_start = true }, child)
  say("main has", var:get())
  t:await()
end)
